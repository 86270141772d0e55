import { hashOf } from "@millrace/format";
import { MAX_QUEUES, type QueueTableReader } from "@millrace/shared-memory";

const INITIAL_BUCKETS = 1024;
/** Odd, and its bits look random: topics that differ in their last character only should not lie side by side. */
const SPREAD = 2_654_435_761;

interface Entry {
  readonly slot: number;
  readonly hash: number;
  readonly topic: Uint8Array;
  readonly queueId: number;
}

/** Finds a queue's slot by the bytes of its topic, so that no string is made per record. Open addressing, at most half full. */
export class QueueSlots {
  readonly #table: QueueTableReader;
  #buckets: (Entry | undefined)[] = new Array(INITIAL_BUCKETS).fill(undefined);
  #count = 0;
  readonly #onQueue: (slot: number, topic: Uint8Array, queueId: number) => void;

  /** @param onQueue hears of each queue before its first record */
  constructor(table: QueueTableReader, onQueue: (slot: number, topic: Uint8Array, queueId: number) => void) {
    this.#table = table;
    this.#onQueue = onQueue;
  }

  /** -1 when the queue is not in the table: main registers it before it puts, so it is none of this store's. */
  find(bytes: Uint8Array, position: number, length: number, queueId: number): number {
    const slot = this.#lookUp(bytes, position, length, queueId);
    if (slot >= 0) return slot;
    this.refresh();
    return this.#lookUp(bytes, position, length, queueId);
  }

  refresh(): void {
    this.#table.refresh((slot, topic, queueId) => {
      this.#add({ slot, hash: hashQueue(topic, 0, topic.length, queueId), topic, queueId });
      this.#onQueue(slot, topic, queueId);
    });
  }

  #lookUp(bytes: Uint8Array, position: number, length: number, queueId: number): number {
    const hash = hashQueue(bytes, position, length, queueId);
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const entry = buckets[i];
      if (entry === undefined) return -1;
      if (entry.hash === hash && entry.queueId === queueId && isSame(entry.topic, bytes, position, length)) return entry.slot;
    }
  }

  /** A queue that is registered again replaces the old one. */
  #add(entry: Entry): void {
    if (2 * this.#count >= this.#buckets.length && this.#buckets.length < 2 * MAX_QUEUES) this.#grow();
    const mask = this.#buckets.length - 1;
    let i = entry.hash & mask;
    for (; ; i = (i + 1) & mask) {
      const old = this.#buckets[i];
      if (old === undefined) break;
      if (old.hash === entry.hash && old.queueId === entry.queueId && isSame(old.topic, entry.topic, 0, entry.topic.length)) {
        this.#buckets[i] = entry;
        return;
      }
    }
    this.#buckets[i] = entry;
    this.#count++;
  }

  #grow(): void {
    const old = this.#buckets;
    this.#buckets = new Array(2 * old.length).fill(undefined);
    this.#count = 0;
    for (const entry of old) if (entry !== undefined) this.#add(entry);
  }
}

function hashQueue(bytes: Uint8Array, position: number, length: number, queueId: number): number {
  return Math.imul(hashOf(queueId, bytes, position, length), SPREAD) >>> 0;
}

function isSame(topic: Uint8Array, bytes: Uint8Array, position: number, length: number): boolean {
  if (topic.length !== length) return false;
  for (let i = 0; i < length; i++) if (topic[i] !== bytes[position + i]) return false;
  return true;
}
