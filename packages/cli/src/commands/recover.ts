import { constants, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type DirectoryStats, MessageStore, type MessageStoreOptions, MillraceError, type RecoveryReport } from "@millrace/store";
import { Command } from "commander";
import { withExamples } from "../examples.js";
import { exitWith } from "../exit-code.js";
import { interrupted } from "../interrupted.js";
import { integer } from "../option-value.js";
import { printJson, progress } from "../print.js";
import { makeScratch } from "../scratch-directory.js";
import {
  checkDirectory,
  damagedStoreOptions,
  LOOKED_AFTER,
  openReader,
  recoveredStoreOptions,
  type SizeOptions,
  withSizes,
} from "../store-directory.js";
import { stateOf } from "../store-owner.js";
import { UsageError } from "../usage-error.js";

interface RecoverOptions extends SizeOptions {
  readonly dryRun?: true;
  readonly scratch?: string;
  readonly truncateTo?: string;
  readonly json?: true;
}

/** `millrace recover`: what an open would do, done and reported. */
export function recoverCommand(): Command {
  const command = withSizes(new Command("recover"))
    .summary("open the store, which recovers it, print what was found, kept and cut as JSON, and close it")
    .description(
      "Opens a store that nobody has open, which recovers it, and closes it; delayed messages that are due are left to the next who " +
        "opens it. docs/recovery.md explains each line that it prints. Exit code 3: records are corrupt, or files of config/ were " +
        "damaged; a torn end that was cut is no damage.",
    )
    .option("--dry-run", "do it to a copy, which is removed again; blocks are shared where the file system can (reflink)")
    .option("--scratch <path>", "where that copy is made; beside the directory without it")
    .option("--truncate-to <offset>", "cut the log there first, at the end of a record: what comes after it is gone for good")
    .option("--json", "as it always prints")
    .action(async (directory: string, options: RecoverOptions) => {
      checkDirectory(directory);
      if (options.scratch !== undefined && !options.dryRun)
        throw new UsageError(`nothing is copied without --dry-run: --scratch=${options.scratch}`);
      const signal = interrupted();
      if (options.truncateTo !== undefined) return await truncated(directory, options.truncateTo, options, signal);
      const report = options.dryRun
        ? await onCopy(directory, options, signal)
        : await recovered({ ...recoveredStoreOptions(directory, options), signal });
      const { queueOffsets, ...rest } = report;
      printJson({ ...rest, queueOffsets: Object.fromEntries(queueOffsets) });
      if (report.corrupt.length > 0 || report.progress.damagedFiles.length > 0) exitWith("damaged");
    });
  return withExamples(command, [
    ["recover orders-store --dry-run", "what would be cut or refused; nothing is changed"],
    ["recover orders-store", "recover it"],
    ["recover orders-slave --truncate-to 65536", "of a slave that has diverged there from its master; then open it again"],
  ]);
}

async function truncated(directory: string, text: string, options: RecoverOptions, signal: AbortSignal): Promise<void> {
  if (options.dryRun) throw new UsageError("what is cut is cut: --truncate-to --dry-run");
  const offset = integer("truncate-to", text, 0, Number.MAX_SAFE_INTEGER);
  printJson(await MessageStore.truncate({ ...recoveredStoreOptions(directory, options), signal }, offset));
}

async function recovered(options: MessageStoreOptions): Promise<RecoveryReport> {
  await using store = await MessageStore.open({
    ...options,
    ...LOOKED_AFTER,
    onRecoveryProgress: ({ bytesScanned, bytesTotal }) => progress(`scanned ${bytesScanned} of ${bytesTotal} bytes`),
  });
  return store.recovery;
}

async function onCopy(directory: string, options: RecoverOptions, signal: AbortSignal): Promise<RecoveryReport> {
  if (options.storePathCommitLog !== undefined)
    throw new UsageError("a log that lies elsewhere is not copied: --dry-run --storePathCommitLog");
  await refuseIfOpen(directory);
  const made = damagedStoreOptions(directory, options);
  const parent = options.scratch ?? dirname(resolve(directory));
  checkDirectory(parent, "--scratch");
  const scratch = makeScratch(parent, ".millrace-dry-run-", "--scratch");
  try {
    const copy = join(scratch, "store");
    await copyFiles(directory, copy, signal);
    if (signal.aborted) throw new MillraceError("ERR_ABORTED", `copying was interrupted: storePathRootDir=${directory}`);
    return await recovered({ ...made, storePathRootDir: copy, signal });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** With the files' times: notes of a file hold for as long as it has not changed. */
async function copyFiles(directory: string, copy: string, signal: AbortSignal): Promise<void> {
  const filter = (): boolean => !signal.aborted; // asked before each file
  try {
    await cp(directory, copy, { recursive: true, preserveTimestamps: true, mode: constants.COPYFILE_FICLONE, filter });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const text = `no copy could be made, --scratch names another place: code=${code} path=${copy} reason=${message}`;
    throw new MillraceError("ERR_COPY_FAILED", text, { cause });
  }
}

/** A copy of a directory that is written to is none. */
async function refuseIfOpen(directory: string): Promise<void> {
  let stats: DirectoryStats;
  try {
    await using reader = await openReader(directory, {});
    stats = reader.stats();
  } catch {
    return; // recovery says what is wrong
  }
  if (stateOf(stats) !== "open") return;
  const processId = stats.abort?.processId;
  const holder = processId === undefined ? `storePathRootDir=${directory}` : `processId=${processId}`;
  throw new UsageError(`a process has the store open, and what it writes meanwhile would look like damage: ${holder}`);
}
