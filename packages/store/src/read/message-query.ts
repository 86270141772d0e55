import { KEY_SEPARATOR } from "@millrace/format";
import type { IndexReader } from "./index-reader.js";

/** What of a message decides whether it answers a query. */
export interface IndexedMessage {
  readonly topic: string;
  /** Separated by spaces. */
  readonly keys: string | undefined;
  readonly uniqKey: string | undefined;
  /** Milliseconds. */
  readonly storeTimestamp: number;
}

export interface MessageQueryOptions {
  readonly topic: string;
  /** One key, or the unique key. */
  readonly key: string;
  /** At most `maxMsgsNumBatch`. */
  readonly maxNum: number;
  /** First store timestamp, in milliseconds. */
  readonly begin: number;
  /** Last one, inclusive. */
  readonly end: number;
}

export interface QueryMessageResult<M> {
  /** The newest ones, in the order of the log. */
  readonly messages: M[];
  /** Of the last record in the index; 0 when there is none. */
  readonly indexLastUpdateTimestamp: number;
  readonly indexLastUpdatePhysicalOffset: number;
}

/**
 * Messages by key. (RocketMQ: `DefaultMessageStore.queryMessage`.) The index knows hashes and whole seconds: each message is asked for its own topic,
 * keys and time. What another key of the same hash, or a record that is gone, takes up there is made good by older messages; RocketMQ asks the
 * index up to three times for that, and hands collisions out.
 */
export class MessageQuery<M extends IndexedMessage> {
  readonly #index: IndexReader;
  readonly #lookAt: (physicalOffset: number) => M | undefined;

  /** @param lookAt the message at an offset; undefined when no record begins there (any more). Offsets from disk may be anything. */
  constructor(index: IndexReader, lookAt: (physicalOffset: number) => M | undefined) {
    this.#index = index;
    this.#lookAt = lookAt;
  }

  query({ topic, key, maxNum, begin, end }: MessageQueryOptions): QueryMessageResult<M> {
    const messages: M[] = [];
    let lastOffset: number | undefined;
    const accept = (physicalOffset: number): boolean => {
      // A key that a record has twice leads to it twice, one after the other.
      if (physicalOffset === lastOffset) return false;
      lastOffset = physicalOffset;
      const message = this.#lookAt(physicalOffset);
      if (message === undefined || message.topic !== topic || !hasKey(message, key)) return false;
      if (message.storeTimestamp < begin || message.storeTimestamp > end) return false;
      messages.push(message);
      return true;
    };
    const { lastUpdateTimestamp, lastUpdatePhysicalOffset } = this.#index.queryOffset(topic, key, maxNum, begin, end, accept);
    return {
      messages: messages.reverse(),
      indexLastUpdateTimestamp: lastUpdateTimestamp,
      indexLastUpdatePhysicalOffset: lastUpdatePhysicalOffset,
    };
  }
}

function hasKey({ keys, uniqKey }: IndexedMessage, key: string): boolean {
  return key !== "" && (uniqKey === key || (keys?.split(KEY_SEPARATOR).includes(key) ?? false));
}
