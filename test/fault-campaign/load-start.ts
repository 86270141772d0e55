import type { MessageStoreOptions } from "@millrace/store";
import type { Random } from "../support/random.js";
import type { SourceEnding } from "./life-job.js";

/** What a load life begins with: a directory, and a way to write. */
export interface LoadStart {
  readonly name: string;
  /** Of the source store; undefined for a new directory. */
  readonly ending: SourceEnding | undefined;
  readonly mode: MessageStoreOptions;
}

const LOAD_MODES: Readonly<Record<string, MessageStoreOptions>> = {
  sync: { flushDiskType: "SYNC_FLUSH" },
  "sync channel": { flushDiskType: "SYNC_FLUSH", writeWithoutMmap: true },
  async: { flushIntervalCommitLog: 10, flushCommitLogLeastPages: 0 },
  "async channel": { writeWithoutMmap: true, flushIntervalCommitLog: 10, flushCommitLogLeastPages: 0 },
};

export function startOf(random: Random): LoadStart {
  const names = Object.keys(LOAD_MODES);
  const name = names[random(names.length)] as string;
  const ending = ([undefined, "closed", "killed"] as const)[random(3)];
  return { name: `${name} ${ending ?? "new"}`, ending, mode: LOAD_MODES[name] as MessageStoreOptions };
}
