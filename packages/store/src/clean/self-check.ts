import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseSegmentFileName, type StorePaths } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";

/** Two files of a directory between which bytes are missing, or that overlap. Offsets are bytes. */
export interface SelfCheckFinding {
  readonly path: string;
  readonly offset: number;
  /** Where the file before it ends. */
  readonly expectedOffset: number;
}

/** Directories looked at in one turn of the event loop. */
const DIRECTORIES_PER_TURN = 32;

/**
 * Looks whether the files of the log and of each ConsumeQueue follow one another without a gap. Changes nothing.
 * (RocketMQ: `DefaultMessageStore.checkSelf`, which writes it to its own log.)
 */
export async function checkSelf(storage: Storage, paths: StorePaths, config: MessageStoreConfig): Promise<SelfCheckFinding[]> {
  const findings = checkDirectory(storage, paths.commitLog, config.mappedFileSizeCommitLog);
  let count = 0;
  for (const topic of directoriesOf(storage, paths.consumeQueue)) {
    for (const directory of directoriesOf(storage, topic)) {
      findings.push(...checkDirectory(storage, directory, config.mappedFileSizeConsumeQueue));
      count++;
      if (count % DIRECTORIES_PER_TURN === 0) await setImmediate();
    }
  }
  return findings;
}

function directoriesOf(storage: Storage, path: string): string[] {
  return storage.list(path).flatMap(({ name, kind }) => (kind === "directory" ? [join(path, name)] : []));
}

function checkDirectory(storage: Storage, directory: string, fileSize: number): SelfCheckFinding[] {
  const findings: SelfCheckFinding[] = [];
  let expectedOffset: number | undefined;
  for (const { name } of storage.list(directory)) {
    const offset = parseSegmentFileName(name);
    if (offset === undefined) continue;
    if (expectedOffset !== undefined && offset !== expectedOffset)
      findings.push({ path: join(directory, name), offset, expectedOffset });
    expectedOffset = offset + fileSize;
  }
  return findings;
}
