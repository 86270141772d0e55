import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { ExpiredDeletion } from "../pipeline/controls.js";
import type { Pause } from "./pause.js";

export interface ConsumeQueueCleaning {
  readonly deletedFiles: number;
  /** The first thing that went wrong; the next run tries again. */
  readonly failure?: string;
}

/**
 * Has the dispatch thread follow the front of the log, a slice at a time, with pauses between files. (RocketMQ:
 * `CleanConsumeQueueService`.)
 */
export class ConsumeQueueCleaner {
  readonly #config: MessageStoreConfig;
  readonly #deleteExpired: (minOffset: number) => Promise<ExpiredDeletion>;
  readonly #pause: Pause;
  /** Front of the log that was followed; files that the last life of the store left are found by the first run. */
  #cleanedOffset = 0;

  constructor(config: MessageStoreConfig, deleteExpired: (minOffset: number) => Promise<ExpiredDeletion>, pause: Pause) {
    this.#config = config;
    this.#deleteExpired = deleteExpired;
    this.#pause = pause;
  }

  async run(minOffset: number): Promise<ConsumeQueueCleaning> {
    let deletedFiles = 0;
    while (minOffset > this.#cleanedOffset) {
      const slice = await this.#deleteExpired(minOffset);
      deletedFiles += slice.deletedFiles;
      if (slice.failure !== undefined) return { deletedFiles, failure: slice.failure };
      if (slice.isDone) this.#cleanedOffset = minOffset;
      else if (!(await this.#pause.for(slice.deletedFiles > 0 ? this.#config.deleteConsumeQueueFilesInterval : 0))) break;
    }
    return { deletedFiles };
  }
}
