import {
  checkStoredTopic,
  DLQ_TOPIC_PREFIX,
  isBrokersTopic,
  isSystemTopic,
  MillraceError,
  RETRY_TOPIC_PREFIX,
  shownValue,
} from "@millrace/format";
import { endOffset, type QueueColumns, queueColumns } from "@millrace/shared-memory";
import type { Pipeline } from "../pipeline/pipeline.js";
import { allAnswered } from "../put/drained-puts.js";
import type { MessagePutter } from "../put/message-putter.js";
import type { Topic } from "../put/topic-table.js";
import type { FileCleaner } from "./file-cleaner.js";
import type { GroupOffsets, LeasedReader } from "./leased-reader.js";

/** One queue of a topic. */
export interface TopicQueue {
  readonly topic: string;
  readonly queueId: number;
}

/** The producers on other threads. */
export interface OtherProducers {
  /** From then on they take no puts to the topic, and resolves when none of those taken before is on its way. */
  suspend(topic: string): Promise<Suspension>;
}

/** Of the puts to a topic, on all threads but the store's. */
export interface Suspension {
  /** False: one did not answer, and may put. */
  readonly isComplete: boolean;
  /** Resolves when those that had answered take puts again, or do not come to their event loop. */
  resume(): Promise<void>;
}

/**
 * Deletes queues of which nothing is wanted any more, or nothing is left. While it does, puts of their topic are rejected with
 * `ERR_TOPIC_SUSPENDED`; a topic that is put again begins at queue offset 0. Main thread.
 * (RocketMQ: `DefaultMessageStore.deleteTopics`, `cleanUnusedTopic`, `cleanExpiredConsumerQueue`.)
 */
export class TopicCleaner {
  readonly #pipeline: Pipeline;
  readonly #put: MessagePutter;
  readonly #producers: OtherProducers;
  readonly #reader: LeasedReader;
  readonly #groups: GroupOffsets;
  readonly #cleaning: FileCleaner;
  readonly #queues: QueueColumns<"main">;

  constructor(
    pipeline: Pipeline,
    put: MessagePutter,
    producers: OtherProducers,
    reader: LeasedReader,
    groups: GroupOffsets,
    cleaning: FileCleaner,
  ) {
    this.#pipeline = pipeline;
    this.#put = put;
    this.#producers = producers;
    this.#reader = reader;
    this.#groups = groups;
    this.#cleaning = cleaning;
    this.#queues = queueColumns(pipeline.data.queues, pipeline.control);
  }

  /**
   * Deletes a topic's ConsumeQueues; records of it that are in the log now are never seen in a queue again. By key, by message id
   * and by physical offset they are found until their segments go. A topic that is not there is fine; one in which RocketMQ itself keeps
   * messages (delayed, prepared, with a timer) is refused.
   *
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`, `ERR_TOPIC_NOT_DELETED` (try again; what was put before stays deleted),
   * `ERR_PATH_UNUSABLE`, `ERR_STORE_CLOSED`, `ERR_SERVICE_ENDED`, `ERR_HA_SLAVE`
   */
  async deleteTopic(name: string): Promise<void> {
    this.#checkMaster();
    const { topics } = this.#put;
    if (topics.find(name) === undefined) checkStoredTopic(name);
    if (isBrokersTopic(name))
      throw new MillraceError("ERR_TOPIC_ILLEGAL", `a topic in which RocketMQ itself keeps messages is not deleted: topic=${name}`);
    await this.#suspended(name, async () => {
      await this.#groups.persist(); // those that a broker has saved have no date before
      const slots = [...(topics.find(name)?.slots.values() ?? [])];
      topics.forget(name);
      this.#groups.forget(name); // a crash that keeps their offsets keeps the tombstone too, which says that they are older
      const offset = endOffset(this.#pipeline.control.counters);
      const failure = await this.#pipeline.deleteTopic(name, offset);
      for (const slot of slots) this.#reader.forgetQueue(slot);
      if (failure !== undefined) throw notDeleted(name, failure);
    });
  }

  /**
   * Deletes the topics that are not to be retained, but for RocketMQ's own, and those of consumer groups (`%RETRY%`, `%DLQ%`).
   * Resolves with the deleted ones; rejects as {@link deleteTopic}, and with `ERR_TOPIC_ILLEGAL` for what is no list of names:
   * nothing is deleted then.
   */
  async cleanUnusedTopics(retain: Iterable<string>): Promise<string[]> {
    this.#checkMaster();
    const retained = retainedTopics(retain);
    const deleted: string[] = [];
    for (const { name } of [...this.#put.topics.topics()]) {
      if (retained.has(name) || isSystemTopic(name) || name.startsWith(RETRY_TOPIC_PREFIX) || name.startsWith(DLQ_TOPIC_PREFIX))
        continue;
      await this.deleteTopic(name);
      deleted.push(name);
    }
    return deleted;
  }

  /**
   * Deletes the queues whose records have all gone with their segments; they begin again at queue offset 0. A queue that has had no message
   * yet stays. Resolves with the deleted ones; rejects as {@link deleteTopic}.
   */
  async cleanExpiredConsumerQueue(): Promise<TopicQueue[]> {
    this.#checkMaster();
    const deleted: TopicQueue[] = [];
    for (const topic of [...this.#put.topics.topics()]) {
      if (isSystemTopic(topic.name) || !this.#hasExpiredQueue(topic)) continue;
      await this.#suspended(topic.name, async () => {
        const expired = [...topic.slots].filter(([, slot]) => this.#isExpired(slot));
        for (const [queueId] of expired) this.#groups.forget(topic.name, queueId);
        await this.#groups.persist(); // no tombstone will say that an offset is older
        try {
          for (const [queueId, slot] of expired) {
            this.#put.topics.forgetQueue(topic.name, queueId);
            this.#groups.forget(topic.name, queueId); // what was committed meanwhile; from here on a commit counts for nothing
            const failure = await this.#pipeline.deleteQueue(slot);
            this.#reader.forgetQueue(slot);
            if (failure !== undefined) throw notDeleted(topic.name, failure);
            deleted.push({ topic: topic.name, queueId });
          }
        } finally {
          await this.#groups.persist(); // before a put begins the queue again
        }
      });
    }
    return deleted;
  }

  /** The queues of a slave are those of its master's log: what is deleted would not come again. */
  #checkMaster(): void {
    const { brokerRole } = this.#pipeline.data.config;
    if (brokerRole === "SLAVE")
      throw new MillraceError("ERR_HA_SLAVE", `a slave's queues are not deleted: brokerRole=${brokerRole}`);
  }

  /** Runs `task` while nothing of the topic is put, or on its way to the log. */
  #suspended(name: string, task: () => Promise<void>): Promise<void> {
    return this.#cleaning.oneAtATime(async () => {
      const { topics } = this.#put;
      topics.suspend(name);
      let others: Suspension | undefined;
      try {
        others = await this.#producers.suspend(name);
        if (!others.isComplete) throw notDeleted(name, "a producer's thread does not come to its event loop");
        await allAnswered(this.#put.ring);
        await task();
      } finally {
        topics.resume(name);
        await others?.resume();
      }
    });
  }

  #hasExpiredQueue(topic: Topic): boolean {
    for (const slot of topic.slots.values()) if (this.#isExpired(slot)) return true;
    return false;
  }

  /** It has had records, all are dispatched, none is left. */
  #isExpired(slot: number): boolean {
    const { nextQueueOffsets, maxQueueOffsets, minQueueOffsets } = this.#queues;
    const max = maxQueueOffsets.get(slot);
    return max > 0 && minQueueOffsets.get(slot) === max && nextQueueOffsets.get(slot) === max;
  }
}

/** Strict: what was meant to be a list of topics, and is none, would delete them all. */
function retainedTopics(retain: Iterable<string>): Set<string> {
  const isList = typeof retain === "object" && retain !== null && Symbol.iterator in retain;
  const names: unknown[] = isList ? [...retain] : [retain];
  const wrong = isList ? names.findIndex((name) => typeof name !== "string") : 0;
  if (wrong === -1) return new Set(names as string[]);
  throw new MillraceError("ERR_TOPIC_ILLEGAL", `a list of topics to retain is needed: topic=${shownValue(names[wrong])}`);
}

function notDeleted(topic: string, failure: string): MillraceError {
  return new MillraceError(
    "ERR_TOPIC_NOT_DELETED",
    `the topic, or a part of it, could not be deleted: topic=${topic} reason=${failure}`,
  );
}
