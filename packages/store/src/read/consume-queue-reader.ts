import { checkQueueId, checkStoredTopic, consumeQueueDirectory, type StorePaths, storePaths } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { InvariantError, type QueueColumns } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { TopicTable } from "../put/topic-table.js";
import { ReadConsumeQueue } from "./read-consume-queue.js";
import { ReadSegmentTable } from "./read-segment-table.js";
import type { UnitVerifier } from "./unit-verifier.js";

const MAPPED_LIMIT = 4096;

/** The ConsumeQueues as the main thread reads them. (RocketMQ: `ConsumeQueueStore.findOrCreateConsumeQueue`, which here makes nothing.) */
export class ConsumeQueueReader {
  readonly columns: QueueColumns<"main">;
  readonly #paths: StorePaths;
  readonly #topics: TopicTable;
  readonly #storage: Storage;
  readonly #mappedLimit: number;
  #table: ReadSegmentTable;
  #fileSize: number;
  /** Every unit that is read goes through it, where there is one. */
  readonly verifier: UnitVerifier | undefined;
  /** By slot. */
  readonly #queues = new Map<number, ReadConsumeQueue>();

  /** @param mappedLimit files mapped at a time */
  constructor(
    storage: Storage,
    config: MessageStoreConfig,
    columns: QueueColumns<"main">,
    topics: TopicTable,
    verifier?: UnitVerifier,
    mappedLimit = MAPPED_LIMIT,
  ) {
    this.columns = columns;
    this.verifier = verifier;
    this.#paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
    this.#topics = topics;
    this.#storage = storage;
    this.#mappedLimit = mappedLimit;
    this.#fileSize = config.mappedFileSizeConsumeQueue;
    this.#table = new ReadSegmentTable(storage, config.mappedFileSizeConsumeQueue, mappedLimit);
  }

  /** Who only reads learns it from the first file that there is: until then there is no queue. */
  useFileSize(bytes: number): void {
    if (this.#queues.size > 0) throw new InvariantError(`queues are open already: fileSize=${this.#fileSize} wanted=${bytes}`);
    this.#fileSize = bytes;
    this.#table.close();
    this.#table = new ReadSegmentTable(this.#storage, bytes, this.#mappedLimit);
  }

  /** Files mapped now. */
  get mappedFiles(): number {
    return this.#table.size;
  }

  /**
   * Undefined when nothing was ever put there. After its topic was deleted the queue must be found again.
   *
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL` for what can name no queue
   */
  find(topic: string, queueId: number): ReadConsumeQueue | undefined {
    const slot = this.#topics.findSlot(topic, queueId);
    if (slot === undefined) {
      checkStoredTopic(topic);
      checkQueueId(queueId);
      return undefined;
    }
    return this.#queues.get(slot) ?? this.#add(slot, topic, queueId);
  }

  /** Whether the queue in `slot` is the one that was in `from`, and has not begun again at 0. */
  isContinued(from: number, slot: number): boolean {
    return this.#topics.isContinued(from, slot);
  }

  #add(slot: number, topic: string, queueId: number): ReadConsumeQueue {
    const directory = consumeQueueDirectory(this.#paths, topic, queueId);
    const queue = new ReadConsumeQueue(
      { slot, topic, queueId, directory },
      this.columns,
      this.#table,
      this.#fileSize,
      this.verifier,
    );
    this.#queues.set(slot, queue);
    return queue;
  }

  /** After a deletion: unmaps the files below each queue's new minOffset. */
  forgetExpired(): void {
    for (const queue of this.#queues.values()) queue.forget(queue.minOffset);
  }

  /** The queue was deleted with its topic. */
  forgetQueue(slot: number): void {
    this.#queues.get(slot)?.forget(Infinity);
    this.#queues.delete(slot);
  }

  close(): void {
    this.#table.close();
    this.#queues.clear();
  }
}
