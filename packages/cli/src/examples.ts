import type { Command } from "commander";

/** Below the options: each a line that can be copied, and what it is for. */
export function withExamples(command: Command, examples: readonly (readonly [line: string, about: string])[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, about]) => `  millrace ${line.padEnd(width)}  # ${about}`);
  return command.addHelpText("after", ["", "Examples:", ...lines].join("\n"));
}
