import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { MessageStore, type MessageStoreOptions, MillraceError, type ReadOnlyMessageStore } from "@millrace/store";
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
  const options = sizedOptions(directory, given);
  checkRoot(directory);
  return options;
}

/** As a slave that follows nobody: whatever it is, nothing is put into it, nothing delivered that is due, nothing deleted. */
export const LOOKED_AFTER = { brokerRole: "SLAVE", haMasterAddress: "none" } as const;

/** Of what is opened to be put to: how long segments are kept is for the store's owner to say, and not known here. */
export const DELETES_NOTHING = { fileReservedTime: INT_MAX, cleanFileForciblyEnable: false } as const;

/** As {@link storeOptions}, of a store that may be too damaged to say its sizes; but it has a log. */
export function damagedStoreOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  const options = damagedOptions(directory, given);
  checkRoot(directory);
  return options;
}

/** As {@link damagedStoreOptions}; and of a log elsewhere, when it is all that is left, the rest is made in an empty directory. */
export function recoveredStoreOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  return isNew(directory) ? damagedOptions(directory, given) : damagedStoreOptions(directory, given);
}

function sizedOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  checkDirectory(directory);
  const log = logOption(given);
  return { storePathRootDir: directory, ...log, ...MessageStore.sizesOf(directory, log), ...givenSizes(given) };
}

function damagedOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  try {
    return sizedOptions(directory, given);
  } catch (error) {
    if (error instanceof UsageError || !holdsLog(directory, given)) throw error;
    return newStoreOptions(directory, given);
  }
}

/** Options of a store that is made: with the sizes that are given, and otherwise the defaults. */
export function newStoreOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  return { storePathRootDir: directory, ...logOption(given), ...givenSizes(given) };
}

/**
 * A slave may be new, and one that was ended early has no log. It is not made among files of others.
 *
 * @throws MillraceError `ERR_COPY_TARGET`
 */
export function replicaOptions(directory: string, given: SizeOptions): MessageStoreOptions {
  const log = logOf(directory, given);
  if (!isNew(directory)) {
    checkDirectory(directory);
    if (!isRoot(directory)) throw taken("storePathRootDir", directory);
  }
  if (!isNew(log) && !hasSegment(log)) throw taken("storePathCommitLog", log);
  return isNew(directory) || isNew(log) ? newStoreOptions(directory, given) : damagedStoreOptions(directory, given);
}

function taken(name: string, path: string): MillraceError {
  return new MillraceError(
    "ERR_COPY_TARGET",
    `no slave is here, and a new one wants a directory that is not there, or empty: ${name}=${path}`,
  );
}

/** A store can be made there: nothing is there, or a directory without anything in it. */
export function isNew(path: string): boolean {
  const entry = entryAt(path);
  return entry === undefined || (entry.isDirectory() && readdirSync(path).length === 0);
}

function logOf(directory: string, { storePathCommitLog }: LogOption): string {
  return storePathCommitLog ?? join(directory, "commitlog");
}

function isDirectory(path: string): boolean {
  return entryAt(path)?.isDirectory() === true;
}

/** Undefined also where the way there leads through a file. */
function entryAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** What only stores leave in their roots. */
const NAMES_IN_ROOT = /^(?:commitlog|consumequeue|millrace\.)/;

/** Of one that was ended as soon as it was begun there is the lock alone. */
function isRoot(directory: string): boolean {
  const names = readdirSync(directory);
  return names.some((name) => NAMES_IN_ROOT.test(name)) || (names.length === 1 && names[0] === "lock");
}

/** @throws MillraceError `ERR_PATH_UNUSABLE` */
export function checkRoot(directory: string): void {
  if (isRoot(directory)) return;
  throw new MillraceError("ERR_PATH_UNUSABLE", `there is no store here, whatever its log may be: storePathRootDir=${directory}`);
}

/** Its own may be without a segment yet; what lies elsewhere may be anything. */
function holdsLog(directory: string, given: LogOption): boolean {
  const log = logOf(directory, given);
  return hasSegment(log) || (given.storePathCommitLog === undefined && isDirectory(log) && isNew(log));
}

function hasSegment(log: string): boolean {
  return isDirectory(log) && readdirSync(log).some((name) => /^\d{20}$/.test(name));
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
