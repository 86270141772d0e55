#!/usr/bin/env node
import { CommanderError } from "commander";
import { EXIT_CODES, exitWith } from "./exit-code.js";
import { failureText } from "./failure-text.js";
import { endProgress } from "./print.js";
import { millraceProgram } from "./program.js";
import { UsageError } from "./usage-error.js";

async function main(args: readonly string[]): Promise<void> {
  const program = millraceProgram();
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (thrown) {
    const error = causeOf(thrown);
    endProgress();
    // It has said what is wrong already; help that was asked for is no failure.
    if (error instanceof CommanderError) return exitWith(error.exitCode === EXIT_CODES.done.code ? "done" : "usage");
    if (error instanceof UsageError) {
      process.stderr.write(`error: ${error.message}\n\nUsage: millrace <command> --help says what it takes\n`);
      return exitWith("usage");
    }
    process.stderr.write(failureText(error));
    process.exitCode = EXIT_CODES.failed.code;
  }
}

/** What a command failed of, where its store could not be closed for it either. */
function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error && "suppressed" in thrown ? causeOf(thrown.suppressed) : thrown;
}

await main(process.argv.slice(2));
