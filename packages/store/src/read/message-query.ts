import { checkStoredTopic, MillraceError, shownValue } from "@millrace/format";
import { millisecondsOf } from "../config/any-realm.js";
import { checkKnownKeys, knownKeys } from "../config/known-keys.js";
import type { IndexReader } from "./index-reader.js";
import { RecordCorruptError } from "./record-corrupt-error.js";

const DEFAULT_MAX_NUM = 32;

const KNOWN_KEYS = knownKeys<MessageQueryOptions>({ topic: true, key: true, maxNum: true, begin: true, end: true, before: true });

/** What of a message decides whether it answers a query. */
export interface IndexedMessage {
  readonly physicalOffset: number;
  readonly topic: string;
  readonly keys: readonly string[];
  readonly uniqKey: string | undefined;
  /** Milliseconds. */
  readonly storeTimestamp: number;
}

/** What {@link MessageStore.queryMessage} takes. */
export interface MessageQueryOptions {
  readonly topic: string;
  /** One key, or the unique key. */
  readonly key: string;
  /** Default 32 (RocketMQ: `defaultQueryMaxNum`); at most `maxMsgsNumBatch`. */
  readonly maxNum?: number;
  /** First store timestamp, in milliseconds or as a Date. Default: the first of all. */
  readonly begin?: number | Date;
  /** Last one, inclusive. Default: the last of all. */
  readonly end?: number | Date;
  /** Only messages below this physical offset: to go on after `more`, that of the first message of the answer. Default: all. */
  readonly before?: number;
}

/** What a query by key has found. (RocketMQ: `QueryMessageResult`.) */
export interface QueryMessageResult<M> {
  /** The newest ones, in the order of the log. */
  readonly messages: M[];
  /** There are older ones, which `maxNum` or `maxMsgsNumBatch` has left out: `before` goes on. */
  readonly more: boolean;
  /** Of the last record in the index, in milliseconds; undefined when there is none (RocketMQ: 0). */
  readonly indexLastUpdateTimestamp: number | undefined;
  /** Of the same record; undefined when there is none (RocketMQ: 0). */
  readonly indexLastUpdatePhysicalOffset: number | undefined;
}

/**
 * Messages by key. (RocketMQ: `DefaultMessageStore.queryMessage`.) The index knows hashes and whole seconds: each message is asked
 * for its own topic, keys and time. What another key of the same hash, or a record that is gone, takes up there is made good by
 * older messages; RocketMQ asks the index up to three times for that, and hands collisions out.
 */
export class MessageQuery<M extends IndexedMessage> {
  readonly #index: IndexReader;
  readonly #lookAt: (physicalOffset: number) => M | undefined;

  /** @param lookAt the message at an offset; undefined when no record begins there (any more). Offsets from disk may be anything. */
  constructor(index: IndexReader, lookAt: (physicalOffset: number) => M | undefined) {
    this.#index = index;
    this.#lookAt = lookAt;
  }

  /** @throws MillraceError `ERR_TOPIC_ILLEGAL`, `ERR_QUERY_ILLEGAL` */
  query(options: MessageQueryOptions): QueryMessageResult<M> {
    check(options);
    const { topic, key, maxNum = DEFAULT_MAX_NUM } = options;
    const begin = millisecondsOf(options.begin ?? 0);
    const end = millisecondsOf(options.end ?? Number.MAX_SAFE_INTEGER);
    const matches = (message: M | undefined): message is M =>
      message?.topic === topic && hasKey(message, key) && message.storeTimestamp >= begin && message.storeTimestamp <= end;
    const messages: M[] = [];
    let before = options.before ?? Number.MAX_SAFE_INTEGER;
    let lastOffset: number | undefined;
    const accept = (physicalOffset: number): boolean => {
      // A key that a record has twice leads to it twice, one after the other.
      if (physicalOffset === lastOffset || physicalOffset >= before) return false;
      lastOffset = physicalOffset;
      const message = this.#lookAt(physicalOffset);
      if (!matches(message)) return false;
      messages.push(message);
      return true;
    };
    const found = this.#index.queryOffset(topic, key, maxNum, begin, end, accept);
    const { lastUpdateTimestamp, lastUpdatePhysicalOffset, offsets } = found;
    messages.reverse();
    before = messages[0]?.physicalOffset ?? 0;
    // A corrupt one that nobody has asked for yet is more, too: who goes on meets it.
    const isOlder = (offset: number): boolean => offset < before && this.#isCorruptOr(offset, matches);
    const more = offsets.length > 0 && this.#index.queryOffset(topic, key, 1, begin, end, isOlder).offsets.length > 0;
    return {
      messages,
      more,
      indexLastUpdateTimestamp: lastUpdateTimestamp,
      indexLastUpdatePhysicalOffset: lastUpdatePhysicalOffset,
    };
  }

  #isCorruptOr(physicalOffset: number, matches: (message: M | undefined) => boolean): boolean {
    try {
      return matches(this.#lookAt(physicalOffset));
    } catch (error) {
      if (error instanceof RecordCorruptError) return true;
      throw error;
    }
  }
}

function check(options: MessageQueryOptions): void {
  checkKnownKeys(options ?? {}, KNOWN_KEYS, "ERR_QUERY_ILLEGAL");
  const { topic, key, maxNum, begin, end, before } = options ?? {};
  const illegal = (name: string, value: unknown): MillraceError =>
    new MillraceError(
      "ERR_QUERY_ILLEGAL",
      `a key, a number of messages and times in milliseconds are needed: ${name}=${shownValue(value)}`,
    );
  checkStoredTopic(topic);
  if (typeof key !== "string" || key === "") throw illegal("key", key);
  if (maxNum !== undefined && !(Number.isSafeInteger(maxNum) && maxNum > 0)) throw illegal("maxNum", maxNum);
  if (before !== undefined && !(Number.isSafeInteger(before) && before >= 0)) throw illegal("before", before);
  if (begin !== undefined && !Number.isFinite(millisecondsOf(begin))) throw illegal("begin", begin);
  if (end !== undefined && !Number.isFinite(millisecondsOf(end))) throw illegal("end", end);
}

function hasKey({ keys, uniqKey }: IndexedMessage, key: string): boolean {
  return key !== "" && (uniqKey === key || keys.includes(key));
}
