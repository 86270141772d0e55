import type { MessageStore, MessageView } from "@millrace/store";
import { grouped } from "../support/grouped.js";
import type { DecodedMessage } from "../support/message-decoder.js";
import { SHARED_KEY } from "./crash-job.js";

const QUERIES_MAX = 300;

interface ConsumedQueue {
  readonly minOffset: number;
  readonly messages: MessageView[];
}

/** Everything that a consumer of each queue of an open store sees, from first to last. */
export class ConsumedQueues {
  readonly #queues = new Map<string, ConsumedQueue>();
  readonly #faults: string[] = [];

  constructor(store: MessageStore) {
    for (const topic of store.topics({ systemTopics: true })) {
      for (const queueId of store.queues(topic)) this.#consume(store, topic, queueId);
    }
    this.#query(store);
  }

  #consume(store: MessageStore, topic: string, queueId: number): void {
    const minOffset = store.getMinOffsetInQueue(topic, queueId);
    const maxOffset = store.getMaxOffsetInQueue(topic, queueId);
    const messages: MessageView[] = [];
    this.#queues.set(`${topic}-${queueId}`, { minOffset, messages });
    for (let at = minOffset; at < maxOffset; ) {
      using found = store.getMessage({ topic, queueId, queueOffset: at });
      messages.push(...found.copyMessages());
      if (found.status !== "FOUND" || found.nextBeginOffset <= at) {
        this.#faults.push(`${topic}-${queueId}: ${found.status} at ${at} of ${minOffset} to ${maxOffset}`);
        return;
      }
      at = found.nextBeginOffset;
    }
  }

  /** Keys find what has them, and nothing else. */
  #query(store: MessageStore): void {
    const messages = [...this.#queues.values()].flatMap((queue) => queue.messages);
    const keyed = messages.filter(({ topic, keys }) => topic.startsWith("crash-") && keys.length > 0);
    const step = Math.max(1, Math.ceil(keyed.length / QUERIES_MAX));
    for (const [index, { topic, keys, physicalOffset }] of keyed.entries()) {
      if (index % step !== 0 && index < keyed.length - 8) continue;
      this.#expect(store, topic, keys[0] as string, [physicalOffset]);
    }
    for (const [topic, own] of grouped(keyed, (message) => message.topic)) {
      const offsets = own.filter(({ keys }) => keys.includes(SHARED_KEY)).map(({ physicalOffset }) => physicalOffset);
      this.#expect(store, topic, SHARED_KEY, offsets.sort((a, b) => a - b).slice(-store.config.maxMsgsNumBatch));
    }
  }

  #expect(store: MessageStore, topic: string, key: string, offsets: readonly number[]): void {
    const found = store.queryMessage({ topic, key, maxNum: store.config.maxMsgsNumBatch }).messages;
    const foundOffsets = found.map(({ physicalOffset }) => physicalOffset);
    if (foundOffsets.join() !== offsets.join()) this.#faults.push(`key ${key} of ${topic}: ${foundOffsets} instead of ${offsets}`);
  }

  /**
   * Held against the log: each queue has each of its messages once, in order; what came after `openedAt` may have come too late to
   * be seen.
   */
  faults(log: readonly DecodedMessage[], openedAt: number): string[] {
    const faults = [...this.#faults];
    const expected = grouped(log, ({ topic, queueId }) => `${topic}-${queueId}`);
    for (const [name, { messages, minOffset }] of this.#queues) {
      const own = expected.get(name) ?? [];
      if (messages.length > own.length) faults.push(`${name}: ${messages.length} consumed, ${own.length} in the log`);
      if (own[0] !== undefined && own[0].queueOffset !== minOffset)
        faults.push(`${name}: begins at ${minOffset} instead of ${own[0].queueOffset}`);
      for (const [index, message] of messages.entries()) {
        const { physicalOffset = -1, queueOffset = -1, body = Buffer.alloc(0) } = own[index] ?? {};
        const isSame =
          message.physicalOffset === physicalOffset && message.queueOffset === queueOffset && message.body.equals(body);
        if (!isSame) faults.push(`${name}: ${message.physicalOffset} at ${message.queueOffset} instead of ${physicalOffset}`);
      }
    }
    for (const [name, own] of expected) {
      const consumed = this.#queues.get(name)?.messages.length ?? 0;
      const recovered = own.filter(({ physicalOffset }) => physicalOffset < openedAt).length;
      if (consumed < recovered) faults.push(`${name}: ${consumed} consumed, ${recovered} in the log`);
    }
    return faults;
  }
}
