import { mkdirSync } from "node:fs";
import type { StorageSpec } from "@millrace/mapped-file";
import { ControlBlock, type Role } from "@millrace/shared-memory";
import type { MessageStoreOptions } from "@millrace/store";
import { resolveConfig } from "#store/config/message-store-config.js";
import { type PipelineData, pipelineData } from "#store/pipeline/pipeline-data.js";

/** Of an empty log, with its directory; all threads' words are this thread's to set. */
export function emptyPipelineData(options: MessageStoreOptions, storage: StorageSpec): PipelineData {
  const config = resolveConfig(options);
  mkdirSync(config.storePathCommitLog, { recursive: true });
  const start = { minOffset: 0, maxOffset: 0, lastStoreTimestamp: 0, reputFromOffset: 0, indexFromOffset: 0 };
  return pipelineData(config, storage, { ...start, deletedTopics: new Map() });
}

/** What another thread would say: its words, by this one. */
export function wordsOf<R extends Role>(data: PipelineData, role: R): ControlBlock<R> {
  return ControlBlock.attach(data.control, role);
}
