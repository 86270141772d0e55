import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { MessageStore, type MessageStoreOptions, type ReadOnlyMessageStore } from "@millrace/store";
import type { Command } from "commander";
import { INT_MAX, integer, size } from "./option-value.js";
import { UsageError } from "./usage-error.js";

/** The option of a store whose log does not lie in it. */
export interface LogOption {
  readonly storePathCommitLog?: string;
}

/** A store's sizes, where the files do not say them. */
export interface SizeOptions extends LogOption {
  readonly mappedFileSizeCommitLog?: string;
  readonly mappedFileSizeConsumeQueue?: string;
  readonly maxHashSlotNum?: string;
  readonly maxIndexNum?: string;
}

const DIRECTORY = "the store's directory (storePathRootDir)";

/** With the argument `<directory>` and the option of its log. */
export function withDirectory(command: Command): Command {
  return command
    .argument("<directory>", DIRECTORY)
    .option("--storePathCommitLog <path>", "where the log lies when not in the directory's commitlog");
}

/** With the sizes besides: they are read from the files, and need not be given unless those are too damaged. */
export function withSizes(command: Command): Command {
  return withDirectory(command)
    .option("--mappedFileSizeCommitLog <size>", "length of a segment, where the files do not tell it")
    .option("--mappedFileSizeConsumeQueue <size>", "length of a ConsumeQueue file, as above")
    .option("--maxHashSlotNum <n>", "hash slots of an index file, as above")
    .option("--maxIndexNum <n>", "items of an index file, as above");
}

/** A directory is never made by looking at it. @throws UsageError it is not there, or something else is */
export function checkDirectory(directory: string, name = "storePathRootDir"): void {
  if (!isDirectory(directory)) throw new UsageError(`there is no such directory: ${name}=${directory}`);
}

/** Beside whoever has it open. */
export async function openReader(directory: string, given: LogOption): Promise<ReadOnlyMessageStore> {
  checkDirectory(directory);
  return await MessageStore.openReadOnly(directory, logOption(given));
}

/** Options of an opening that changes the store: with the sizes that it was made with. What is no store is refused. */
export function storeOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  checkDirectory(directory);
  const log = logOption(given);
  return { storePathRootDir: directory, ...log, ...MessageStore.sizesOf(directory, log), ...givenSizes(given) };
}

/** As a slave that follows nobody: whatever it is, nothing is put into it, nothing delivered that is due, nothing deleted. */
export const LOOKED_AFTER = { brokerRole: "SLAVE", haMasterAddress: "none" } as const;

/** Of what is opened to be put to: how long segments are kept is for the store's owner to say, and not known here. */
export const DELETES_NOTHING = { fileReservedTime: INT_MAX, cleanFileForciblyEnable: false } as const;

/** As {@link storeOptions}, of a store that may be too damaged to say its sizes; but it has a log. */
export function damagedStoreOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  try {
    return storeOptions(directory, given);
  } catch (error) {
    if (error instanceof UsageError || !isDirectory(logOf(directory, given))) throw error;
    return newStoreOptions(directory, given);
  }
}

/** Options of a store that is made: with the sizes that are given, and otherwise the defaults. */
export function newStoreOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  return { storePathRootDir: directory, ...logOption(given), ...givenSizes(given) };
}

/** A slave may be new, and one that was ended early has no log. */
export function replicaOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  const isMade = isNew(directory) || (isDirectory(directory) && isNew(logOf(directory, given)));
  return isMade ? newStoreOptions(directory, given) : damagedStoreOptions(directory, given);
}

/** A store can be made there: nothing is there, or a directory without anything in it. */
export function isNew(path: string): boolean {
  const entry = statSync(path, { throwIfNoEntry: false });
  return entry === undefined || (entry.isDirectory() && readdirSync(path).length === 0);
}

function logOf(directory: string, { storePathCommitLog }: LogOption): string {
  return storePathCommitLog ?? join(directory, "commitlog");
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export function logOption({ storePathCommitLog }: LogOption): LogOption {
  return storePathCommitLog === undefined ? {} : { storePathCommitLog };
}

function givenSizes(given: SizeOptions): MessageStoreOptions {
  const { mappedFileSizeCommitLog: log, mappedFileSizeConsumeQueue: queue, maxHashSlotNum, maxIndexNum } = given;
  return {
    ...(log === undefined ? {} : { mappedFileSizeCommitLog: size("mappedFileSizeCommitLog", log, 1, INT_MAX) }),
    ...(queue === undefined ? {} : { mappedFileSizeConsumeQueue: size("mappedFileSizeConsumeQueue", queue, 1, INT_MAX) }),
    ...(maxHashSlotNum === undefined ? {} : { maxHashSlotNum: integer("maxHashSlotNum", maxHashSlotNum, 1, INT_MAX) }),
    ...(maxIndexNum === undefined ? {} : { maxIndexNum: integer("maxIndexNum", maxIndexNum, 1, INT_MAX) }),
  };
}
