import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeIndexHeader } from "@millrace/format";
import type { ExecutionContext } from "ava";
import type { DispatchedMark } from "#store/marks/dispatched-mark.js";
import { type IndexRecovery, type IndexRecoveryOptions, recoverIndex } from "#store/recover/index/index-recovery.js";
import type { CommitLogBuilder } from "./commit-log-builder.js";
import { hex, IndexDirectory, keyedLog, realStorage, requestOf } from "./index-log.js";
import { temporaryDirectory } from "./temporary-directory.js";

/** Small, so that a log of 150 records fills several files. */
export const SHAPE = { maxHashSlotNum: 20, maxIndexNum: 40 };
export const LOG = keyedLog(150);

export function offsetAt(record: number): number {
  return LOG.records[record]?.offset ?? LOG.offset;
}

export function recover(
  directory: IndexDirectory,
  options: Partial<IndexRecoveryOptions> = {},
  log: CommitLogBuilder = LOG,
): IndexRecovery {
  const recordAt = new Map(log.records.map((record) => [record.offset, record]));
  return recoverIndex({
    storage: realStorage,
    directory: directory.index,
    sealsPath: join(directory.root, "no-seals"),
    ...SHAPE,
    minOffset: 0,
    maxOffset: log.offset,
    lastExitOk: true,
    mark: undefined,
    storeTimestampAt: (offset) => recordAt.get(offset)?.storeTimestamp,
    recordEndAt: (offset) => {
      const record = recordAt.get(offset);
      return record === undefined ? undefined : record.offset + record.length;
    },
    ...options,
  });
}

/** The index of the log's first records. */
export function built(t: ExecutionContext, records = LOG.records.length): IndexDirectory {
  const directory = new IndexDirectory(temporaryDirectory(t), SHAPE);
  const dispatcher = directory.dispatcher();
  for (const record of LOG.records.slice(0, records)) dispatcher.dispatch(requestOf(LOG, record));
  dispatcher.close();
  return directory;
}

export function markOf(directory: IndexDirectory, indexedOffset: number): DispatchedMark {
  const indexFile = directory.names.at(-1);
  const indexEndOffset = indexFile === undefined ? 0 : headerOf(directory, indexFile).endPhysicalOffset;
  return { dispatchedOffset: indexedOffset, indexedOffset, indexFile, indexEndOffset };
}

export function headerOf(directory: IndexDirectory, name: string): ReturnType<typeof decodeIndexHeader> {
  return decodeIndexHeader(readFileSync(join(directory.index, name)));
}

export function damage(directory: IndexDirectory, name: string, change: (content: Buffer) => void): void {
  const path = join(directory.index, name);
  const content = readFileSync(path);
  change(content);
  writeFileSync(path, content);
}

const CONTENTS = new Map<number, string[]>();

/** What is on disk when the log's first records are indexed. */
function contentsOf(t: ExecutionContext, records = LOG.records.length): string[] {
  const contents = CONTENTS.get(records) ?? hex(built(t, records).contents);
  CONTENTS.set(records, contents);
  return contents;
}

/** Indexing goes on, and in the end nothing tells this index from one that never ended. */
export function assertComplete(
  t: ExecutionContext,
  directory: IndexDirectory,
  { indexFromOffset }: IndexRecovery,
  message?: string,
): void {
  directory.build(LOG, indexFromOffset);
  t.deepEqual(hex(directory.contents), contentsOf(t), message);
}

/** The index holds nothing of records from the offset on, and every key of those before it. */
export function assertPrefix(t: ExecutionContext, directory: IndexDirectory, offset: number): void {
  const records = LOG.records.filter((record) => record.offset < offset).length;
  t.deepEqual(hex(directory.contents), contentsOf(t, records));
}

/** A header that cannot be: more items than the file has room for. */
export function breakHeader(directory: IndexDirectory, name: string | undefined): void {
  damage(directory, name ?? "", (content) => content.writeInt32BE(SHAPE.maxIndexNum + 1, 36));
}
