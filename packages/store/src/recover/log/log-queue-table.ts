import { addToLogQueue, type LogQueue, newLogQueue } from "../scan/log-queue.js";

const TOPIC_MAX_LENGTH = 255;
const BUCKETS = 1024;

/** Which bytes may stand in a topic: `% | a-z A-Z 0-9 _ -`, nothing that means something in a path (CVE-2019-17572). */
const LEGAL_BYTES = new Uint8Array(256);
for (const character of "%|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
  LEGAL_BYTES[character.charCodeAt(0)] = 1;

export interface LogTopic {
  readonly bytes: Uint8Array;
  readonly topic: string;
  /** Records below it are of a deleted topic of this name, and do not count; 0 without one. */
  readonly deletedBelow: number;
  readonly queues: Map<number, LogQueue>;
  readonly next: LogTopic | undefined;
}

export interface LogQueueTableOptions {
  /** By topic. */
  readonly deletedTopics?: ReadonlyMap<string, number>;
  /** Records from here on are new to the ConsumeQueues. By default none is. */
  readonly dispatchedOffset?: number;
}

/**
 * The queues that a scan finds in the log, found by the topic's bytes, so that no string is made per record.
 * (RocketMQ: `topicQueueTable`, which it rebuilds from the ConsumeQueues.)
 */
export class LogQueueTable {
  readonly #buckets: (LogTopic | undefined)[] = new Array(BUCKETS).fill(undefined);
  readonly #deletedTopics: ReadonlyMap<string, number>;
  readonly #dispatchedOffset: number;

  constructor({ deletedTopics = new Map(), dispatchedOffset = Number.MAX_SAFE_INTEGER }: LogQueueTableOptions) {
    this.#deletedTopics = deletedTopics;
    this.#dispatchedOffset = dispatchedOffset;
  }

  /** A record of the topic that takes `count` queue offsets. */
  add(topic: LogTopic, queueId: number, queueOffset: number, count: number, physicalOffset: number): void {
    if (physicalOffset < topic.deletedBelow) return;
    const isNew = physicalOffset >= this.#dispatchedOffset;
    const queue = topic.queues.get(queueId);
    if (queue === undefined) topic.queues.set(queueId, newLogQueue(queueOffset, count, physicalOffset, isNew));
    else addToLogQueue(queue, queueOffset, count, physicalOffset, isNew);
  }

  /** Undefined when it is no legal topic. Lengths are not held against a record: RocketMQ's vary with its version. */
  topicOf(bytes: Uint8Array, position: number, length: number): LogTopic | undefined {
    if (length === 0 || length > TOPIC_MAX_LENGTH) return undefined;
    let hash = 0;
    for (let i = position; i < position + length; i++) {
      const byte = bytes[i] as number;
      if (LEGAL_BYTES[byte] === 0) return undefined;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const bucket = hash & (BUCKETS - 1);
    for (let entry = this.#buckets[bucket]; entry !== undefined; entry = entry.next) {
      if (entry.bytes.length === length && isSame(entry.bytes, bytes, position)) return entry;
    }
    const own = bytes.slice(position, position + length);
    const topic = new TextDecoder().decode(own);
    const deletedBelow = this.#deletedTopics.get(topic) ?? 0;
    const entry = { bytes: own, topic, deletedBelow, queues: new Map<number, LogQueue>(), next: this.#buckets[bucket] };
    this.#buckets[bucket] = entry;
    return entry;
  }

  /** Keys as in RocketMQ's table: `topic-queueId`. */
  toMap(): Map<string, LogQueue> {
    const queues = new Map<string, LogQueue>();
    for (const head of this.#buckets) {
      for (let entry = head; entry !== undefined; entry = entry.next) {
        for (const [queueId, queue] of entry.queues) queues.set(`${entry.topic}-${queueId}`, queue);
      }
    }
    return queues;
  }
}

function isSame(topic: Uint8Array, bytes: Uint8Array, position: number): boolean {
  for (let i = 0; i < topic.length; i++) {
    if (topic[i] !== bytes[position + i]) return false;
  }
  return true;
}
