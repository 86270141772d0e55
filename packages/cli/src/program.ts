import { type AddHelpTextContext, Command } from "commander";
import { benchCommand } from "./commands/bench.js";
import { catCommand } from "./commands/cat.js";
import { dashboardCommand } from "./commands/dashboard.js";
import { offsetsCommand } from "./commands/offsets.js";
import { putCommand } from "./commands/put.js";
import { queryCommand } from "./commands/query.js";
import { recoverCommand } from "./commands/recover.js";
import { replicaCommand } from "./commands/replica.js";
import { salvageCommand } from "./commands/salvage.js";
import { snapshotCommand } from "./commands/snapshot.js";
import { statCommand } from "./commands/stat.js";
import { tailCommand } from "./commands/tail.js";
import { topicsCommand } from "./commands/topics.js";
import { unfenceCommand } from "./commands/unfence.js";
import { verifyCommand } from "./commands/verify.js";
import { EXIT_CODES } from "./exit-code.js";

/** Each in a file of its own, in the order of the help. `docs/millrace.md` is made of the same texts. */
const COMMANDS: readonly (() => Command)[] = [
  statCommand,
  topicsCommand,
  tailCommand,
  catCommand,
  queryCommand,
  offsetsCommand,
  dashboardCommand,
  verifyCommand,
  recoverCommand,
  salvageCommand,
  snapshotCommand,
  unfenceCommand,
  replicaCommand,
  putCommand,
  benchCommand,
];

/** The `millrace` command. Parsing only: an action runs when its command has been named. */
export function millraceProgram(): Command {
  const program = new Command("millrace")
    .description(
      "Looks into a Millrace or RocketMQ store directory, beside the process that has it open, and mends one that nobody has open.",
    )
    .addHelpText("after", exitCodeText())
    .helpCommand("help [command]", "the help of a command")
    .helpOption("-h, --help", "this help");
  for (const command of COMMANDS) program.addCommand(command());
  for (const command of all(program)) {
    command.exitOverride().helpOption("-h, --help", "this help").showHelpAfterError(true).addHelpText("before", unknownText);
  }
  return program;
}

function* all(command: Command): Generator<Command> {
  yield command;
  for (const inner of command.commands) yield* all(inner);
}

/** Of `help` with the name of no command, commander shows the help as an error, and not why. */
function unknownText({ error, command }: AddHelpTextContext): string {
  const [first, name] = command.args;
  return error && first === "help" && name !== undefined ? `error: unknown command '${name}'\n` : "";
}

function exitCodeText(): string {
  const lines = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${code}  ${meaning}`);
  return ["", "Exit codes:", ...lines].join("\n");
}
