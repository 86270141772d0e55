import type { Command } from "commander";
import { millraceProgram } from "#cli/program.js";

const COLUMNS = 110;

const HEAD = `# The command millrace

\`millrace\` looks into a store directory, Millrace's or a RocketMQ broker's, beside the process that has it open, and mends one that
nobody has open. In a checkout: \`node packages/cli/dist/main.js\`.

* What only looks takes no lock, changes nothing, and shows what has been dispatched, a tenth of a second later at most:
  \`stat\`, \`topics\`, \`tail\`, \`cat\`, \`query\`, \`offsets list\`, \`verify\`, \`recover --dry-run\`.
* What changes a store opens it, and is refused with \`ERR_STORE_LOCKED\` while another process has it open.
* Sizes are read from the files of the directory. A directory that is no store is never turned into one, but for \`put --create\`.
* Sizes are given as 128, 1KiB, 64MiB or 1GiB; times as 2026-07-01T10:00:00Z, or as 30s, 10m, 2h or 1d for so long ago.

This page is made by \`npm run docs\` from what \`millrace help\` prints.

## The first minute

\`\`\`text
millrace topics orders-store                          # how many messages each topic has
millrace tail orders-store Orders 2 -n 5              # the last five of queue 2
millrace query orders-store Orders order-4711 --json  # the one with this key
millrace offsets list orders-store                    # who lags, who lags most first
millrace top orders-store                             # a page, live, until Ctrl-C
\`\`\`

What limits the pipeline of a store is shown by the page that its own process serves: [The page](dashboard.md).
`;

/** `docs/millrace.md`: the help of each command. */
export function millracePage(): string {
  const program = millraceProgram();
  return [HEAD, ...[...commandsOf(program, "millrace")].map(([name, command]) => section(name, command))].join("\n");
}

/** Those of a group each by itself, after it. */
function* commandsOf(parent: Command, name: string): Generator<[string, Command]> {
  yield [name, parent];
  for (const command of parent.commands) yield* commandsOf(command, `${name} ${command.name()}`);
}

function section(name: string, command: Command): string {
  return `## ${name}\n\n\`\`\`text\n${helpOf(command).trimEnd()}\n\`\`\`\n`;
}

function helpOf(command: Command): string {
  let text = "";
  const writeOut = (part: string): void => {
    text += part;
  };
  command.configureOutput({ writeOut, getOutHelpWidth: () => COLUMNS, getOutHasColors: () => false });
  command.outputHelp();
  return text;
}
