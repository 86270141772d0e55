const TOPIC_MAX_LENGTH = 255;
const BUCKETS = 1024;

/** Which bytes may stand in a topic: `% | a-z A-Z 0-9 _ -`, nothing that means something in a path (CVE-2019-17572). */
const LEGAL_BYTES = new Uint8Array(256);
for (const character of "%|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
  LEGAL_BYTES[character.charCodeAt(0)] = 1;

interface TopicEntry {
  readonly bytes: Uint8Array;
  readonly topic: string;
  /** Next queue offset by queue id. */
  readonly queues: Map<number, number>;
  readonly next: TopicEntry | undefined;
}

/**
 * Next queue offset of every topic and queue of a scan, found by the topic's bytes, so that no string is made per record.
 * (RocketMQ: `topicQueueTable`, which it rebuilds from the ConsumeQueues.)
 */
export class TopicQueueOffsets {
  readonly #buckets: (TopicEntry | undefined)[] = new Array(BUCKETS).fill(undefined);

  /** The topic's queues; undefined when it is no legal topic. Lengths are not held against a record: RocketMQ's vary with its version. */
  queuesOf(bytes: Uint8Array, position: number, length: number): Map<number, number> | undefined {
    if (length === 0 || length > TOPIC_MAX_LENGTH) return undefined;
    let hash = 0;
    for (let i = position; i < position + length; i++) {
      const byte = bytes[i] as number;
      if (LEGAL_BYTES[byte] === 0) return undefined;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const bucket = hash & (BUCKETS - 1);
    for (let entry = this.#buckets[bucket]; entry !== undefined; entry = entry.next) {
      if (entry.bytes.length === length && isSame(entry.bytes, bytes, position)) return entry.queues;
    }
    const own = bytes.slice(position, position + length);
    const entry = {
      bytes: own,
      topic: new TextDecoder().decode(own),
      queues: new Map<number, number>(),
      next: this.#buckets[bucket],
    };
    this.#buckets[bucket] = entry;
    return entry.queues;
  }

  /** Keys as in RocketMQ's table: `topic-queueId`. */
  toMap(): Map<string, number> {
    const offsets = new Map<string, number>();
    for (const head of this.#buckets) {
      for (let entry = head; entry !== undefined; entry = entry.next) {
        for (const [queueId, next] of entry.queues) offsets.set(`${entry.topic}-${queueId}`, next);
      }
    }
    return offsets;
  }
}

function isSame(topic: Uint8Array, bytes: Uint8Array, position: number): boolean {
  for (let i = 0; i < topic.length; i++) {
    if (topic[i] !== bytes[position + i]) return false;
  }
  return true;
}
