#!/usr/bin/env node
import { ERROR_CODES, MillraceError } from "@millrace/store";
import { recover } from "./recover.js";
import { salvage } from "./salvage.js";
import { unfence } from "./unfence.js";
import { UsageError } from "./usage-error.js";

const USAGE = `usage: millrace <command> <storePathRootDir> [options]

  recover   open the directory, which recovers it, print what was found, kept and cut as JSON, and close it
            (docs/recovery.md explains it line by line);
            as the store was made, where it is not the default:
            --mappedFileSizeCommitLog <bytes> --mappedFileSizeConsumeQueue <bytes> --maxHashSlotNum <n> --maxIndexNum <n>
  salvage <storePathRootDir> <target>
            write what is good of a damaged store to a new directory, and print what is lost as JSON; with the sizes as above
  unfence   let a store take puts again after a failed force: look at the disk first

exit codes: 0 done, 1 failed (the error's code, its meaning and what helps are printed), 2 bad usage
`;

const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<void>>> = { recover, salvage, unfence };

async function main([name = "", ...args]: string[]): Promise<number> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(USAGE);
    return name === "--help" || name === "help" ? 0 : 2;
  }
  try {
    await command(args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${USAGE}`);
      return 2;
    }
    process.stderr.write(failureText(error));
    return 1;
  }
}

/** Code and message; for a code of Millrace's, what it means and what helps. */
function failureText(error: unknown): string {
  if (!(error instanceof Error)) return `${String(error)}\n`;
  if (!(error instanceof MillraceError)) return `${"code" in error ? `${String(error.code)}: ` : ""}${error.message}\n`;
  const { meaning, remedy } = ERROR_CODES[error.code];
  return `${error.code}: ${error.message}\n${meaning}\n${remedy}\n`;
}

process.exitCode = await main(process.argv.slice(2));
