#!/usr/bin/env node
import { recover } from "./recover.js";
import { unfence } from "./unfence.js";
import { UsageError } from "./usage-error.js";

const USAGE = `usage: millrace <command> <storePathRootDir> [options]

  recover   open the directory, which recovers it, print what was found, kept and cut as JSON, and close it
            (docs/recovery.md explains it line by line);
            as the store was made, where it is not the default:
            --mappedFileSizeCommitLog <bytes> --mappedFileSizeConsumeQueue <bytes> --maxHashSlotNum <n> --maxIndexNum <n>
  unfence   let a store take puts again after a failed force: look at the disk first

exit codes: 0 done, 1 failed (the error's code is printed), 2 bad usage
`;

const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<void>>> = { recover, unfence };

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
    const code = error instanceof Error && "code" in error ? `${String(error.code)}: ` : "";
    process.stderr.write(`${code}${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
