import { basename, dirname, join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, parseSegmentFileName, storePaths } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { InvariantError, monotonicUs } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { syncDeletedQueues } from "../marks/deleted-queues.js";
import type { DeletedTopics } from "../marks/deleted-topics.js";
import type { ExpiredDeletion, ExpiredQueuesControl } from "../pipeline/controls.js";
import type { CommitLogDispatcher } from "./commit-log-dispatcher.js";
import type { ConsumeQueue } from "./consume-queue.js";
import type { ConsumeQueueDispatcher } from "./consume-queue-dispatcher.js";
import type { ConsumeQueueScrub } from "./consume-queue-scrub.js";
import { ConsumeQueueUnitSearch } from "./consume-queue-unit-search.js";

/** Dispatching waits no longer than this for a slice of queues in which nothing is deleted. */
const SLICE_US = 2000;
/** Files deleted in one slice. */
const FILES_PER_SLICE = 4;

/** What has something of records that are no longer on disk. */
type ExpiringDispatch = Pick<CommitLogDispatcher, "deleteExpired">;

/** Who finds a queue's front where its units contradict one another. Implemented by consume-queue-scrub. */
type FrontRepair = Pick<ConsumeQueueScrub, "repairFront">;

/**
 * Lets ConsumeQueues and index follow the front of the log, between two groups, in slices. First every queue's `minQueueOffset`,
 * which is what readers go by, then the files. (RocketMQ: `CleanConsumeQueueService`, `ConsumeQueue.deleteExpiredFile`,
 * `correctMinOffset`.)
 */
export class ExpiredConsumeQueues implements ExpiredQueuesControl {
  readonly #storage: Storage;
  /** Of all ConsumeQueues. */
  readonly #directory: string;
  readonly #consumeQueues: ConsumeQueueDispatcher;
  readonly #others: readonly ExpiringDispatch[];
  readonly #deletedTopics: DeletedTopics;
  readonly #maxOffset: () => number;
  readonly #repair: FrontRepair;
  readonly #search: ConsumeQueueUnitSearch;
  #steps: Generator<number, void> | undefined;
  #minOffset = -1;
  #failure: string | undefined;

  /**
   * @param others are notified when the ConsumeQueues are done
   * @param maxOffset of the log, at present
   */
  constructor(
    storage: Storage,
    config: MessageStoreConfig,
    consumeQueues: ConsumeQueueDispatcher,
    others: readonly ExpiringDispatch[],
    deletedTopics: DeletedTopics,
    maxOffset: () => number,
    repair: FrontRepair,
  ) {
    this.#storage = storage;
    this.#consumeQueues = consumeQueues;
    this.#others = others;
    this.#deletedTopics = deletedTopics;
    this.#maxOffset = maxOffset;
    this.#repair = repair;
    this.#directory = storePaths(config.storePathRootDir).consumeQueue;
    this.#search = new ConsumeQueueUnitSearch(storage);
  }

  deleteExpired(minOffset: number): ExpiredDeletion {
    if (this.#steps === undefined || this.#minOffset !== minOffset) {
      this.#steps?.return();
      this.#steps = this.#deleteExpired(minOffset);
      this.#minOffset = minOffset;
      this.#failure = undefined;
    }
    const endUs = monotonicUs() + SLICE_US;
    let deletedFiles = 0;
    let isDone = false;
    do {
      const step = this.#steps.next();
      if (step.done === true) isDone = true;
      else deletedFiles += step.value;
    } while (!isDone && deletedFiles === 0 && monotonicUs() < endUs);
    this.#search.close();
    if (!isDone) return { deletedFiles, isDone };
    this.#steps = undefined;
    return this.#failure === undefined ? { deletedFiles, isDone } : { deletedFiles, isDone, failure: this.#failure };
  }

  /** The tombstone first: a crash in between leaves files that recovery finds to be deleted. */
  deleteTopic(topic: string, offset: number): string | undefined {
    this.#failure = undefined;
    this.#attempt(() => {
      this.#deletedTopics.add(topic, offset);
      this.#consumeQueues.setTopicDeleted(topic, offset);
      this.#consumeQueues.refresh();
      const queues = this.#consumeQueues.queues.flatMap((queue) => queue ?? []);
      this.#consumeQueues.drop(queues.filter(({ directory }) => basename(dirname(directory)) === topic));
      this.#deleteTopicDirectory(join(this.#directory, topic));
    });
    return this.#failure;
  }

  deleteQueue(slot: number): string | undefined {
    this.#failure = undefined;
    this.#consumeQueues.refresh();
    const queue = this.#consumeQueues.queues[slot];
    if (queue === undefined) return undefined;
    this.#attempt(() => {
      this.#consumeQueues.drop([queue]);
      this.#deleteDirectory(queue.directory);
    });
    return this.#failure;
  }

  /** One step per queue, or per few files: yields how many files it deleted. */
  *#deleteExpired(minOffset: number): Generator<number, void> {
    for (const queue of this.#consumeQueues.queues) {
      if (queue === undefined || queue.minOffset >= queue.writtenOffset) continue;
      yield* this.#follow(queue, minOffset);
      yield 0;
    }
    for (const queue of this.#consumeQueues.queues) if (queue !== undefined) yield* this.#deleteFiles(queue);
    for (const dispatcher of this.#others) {
      this.#attempt(() => dispatcher.deleteExpired?.(minOffset));
      yield 0;
    }
    this.#attempt(() =>
      this.#deletedTopics.prune(minOffset, undefined, (topic) => syncDeletedQueues(this.#storage, this.#directory, topic)),
    );
  }

  /** Sets the queue's minimum. Where units contradict one another, the log is asked, and the minimum moves as far as is sure. */
  *#follow(queue: ConsumeQueue, minOffset: number): Generator<number, void> {
    try {
      const log = { minOffset, maxOffset: this.#maxOffset() };
      const found = this.#search.findFirst(queue, queue.minOffset, queue.writtenOffset, log);
      const first = found ?? (yield* this.#repair.repairFront(queue, minOffset));
      if (first > queue.minOffset && this.#consumeQueues.queues[queue.slot] === queue)
        this.#consumeQueues.setMinOffset(queue, first);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** All units of a file lie below the queue's first live one: it can go, but never the last file. */
  *#deleteFiles(queue: ConsumeQueue): Generator<number, void> {
    const lastStart = queue.segments.startOf(Math.max(0, queue.writtenOffset - 1));
    const liveStart = queue.segments.startOf(queue.minOffset);
    const expired = this.#filesBelow(queue, Math.min(liveStart, lastStart));
    yield 0;
    for (let at = 0; at < expired.length; at += FILES_PER_SLICE) {
      const paths = expired.slice(at, at + FILES_PER_SLICE);
      const isDone = this.#attempt(() => {
        for (const path of paths) this.#storage.remove(path);
        this.#storage.syncDirectory(queue.directory);
        this.#consumeQueues.checksums.forgetBelow(queue.directory, Math.min(liveStart, lastStart));
      });
      if (!isDone) return;
      yield paths.length;
    }
  }

  /** Oldest first. */
  #filesBelow(queue: ConsumeQueue, unit: number): string[] {
    const paths: string[] = [];
    this.#attempt(() => {
      for (const { name } of this.#storage.list(queue.directory)) {
        const fromOffset = parseSegmentFileName(name);
        if (fromOffset !== undefined && fromOffset < unit * CONSUME_QUEUE_UNIT_LENGTH) paths.push(join(queue.directory, name));
      }
    });
    if (paths.length > 0) queue.forgetFilesBelow(unit);
    return paths;
  }

  /** Directories of queues; a link goes instead of what it leads to. */
  #deleteTopicDirectory(directory: string): void {
    if (this.#storage.entry(directory)?.kind !== "directory") return this.#storage.remove(directory);
    for (const { name } of this.#storage.list(directory)) this.#deleteDirectory(join(directory, name));
  }

  /** The newest file first: what a crash leaves is the front of a queue. Then the directory, and the topic's with its last queue. */
  #deleteDirectory(directory: string): void {
    const topicDirectory = dirname(directory);
    if (this.#storage.entry(directory)?.kind === "other") this.#storage.remove(directory);
    for (const { name } of this.#storage.list(directory).reverse()) this.#storage.remove(join(directory, name));
    if (this.#storage.exists(directory)) {
      this.#storage.removeDirectory(directory);
      this.#storage.syncDirectory(topicDirectory);
    }
    if (!this.#storage.exists(topicDirectory) || this.#storage.list(topicDirectory).length > 0) return;
    this.#storage.removeDirectory(topicDirectory);
    this.#storage.syncDirectory(dirname(topicDirectory));
  }

  #attempt(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Keeps the first failure, for the answer; the next run tries again. */
  #fail(error: unknown): void {
    if (error instanceof InvariantError) throw error;
    this.#failure ??= String(error);
  }
}
