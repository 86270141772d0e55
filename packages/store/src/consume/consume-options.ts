import { checkQueueId, checkStoredTopic, isAbortSignal, MillraceError, shownValue } from "@millrace/format";
import { millisecondsOf } from "../config/any-realm.js";
import { checkKnownKeys, knownKeys } from "../config/known-keys.js";
import { type MessageFilter, TagFilter } from "../read/tag-filter.js";

/**
 * Where a consumer begins: at the first message that is still there; one past the last one that has been put; at a queue offset, or
 * at the end of the queue when that lies before it (not on a slave, which waits for its master's messages); at the first message stored
 * at this time or later, a time to come counting as `latest`.
 */
export type ConsumeFrom = "earliest" | "latest" | number | Date;

/** What {@link MessageStore.consume} takes. */
export interface ConsumeOptions {
  readonly topic: string;
  readonly queueId: number;
  readonly from: ConsumeFrom;
  /** Ends the consumer, also while it waits: the loop over it ends as if there were no more batches. */
  readonly signal?: AbortSignal;
  /** Of one batch, at most; the limits of `maxTransfer…` hold too. Default 32. */
  readonly maxMessages?: number;
  readonly filter?: MessageFilter;
  /** At a record that is not as it was written: rejects, and ends there; or goes on behind it, and the batch counts it. Default "throw". */
  readonly onCorrupt?: "throw" | "skip";
}

const KNOWN_KEYS = knownKeys<ConsumeOptions>({
  topic: true,
  queueId: true,
  from: true,
  signal: true,
  maxMessages: true,
  filter: true,
  onCorrupt: true,
});

/** @throws MillraceError `ERR_CONSUME_ILLEGAL`, `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_FILTER_ILLEGAL` */
export function checkConsumeOptions(options: ConsumeOptions): void {
  if (typeof options !== "object" || options === null) throw illegal("options are an object", "options", options);
  checkKnownKeys(options, KNOWN_KEYS, "ERR_CONSUME_ILLEGAL");
  const { topic, queueId, from, signal, maxMessages, filter, onCorrupt } = options;
  checkStoredTopic(topic);
  checkQueueId(queueId);
  if (!isFrom(from)) throw illegal('"earliest", "latest", a queue offset or a valid Date is needed', "from", from);
  if (signal !== undefined && !isAbortSignal(signal)) throw illegal("an AbortSignal is needed", "signal", signal);
  if (maxMessages !== undefined && !(Number.isSafeInteger(maxMessages) && maxMessages > 0)) {
    throw illegal("a limit is an integer of at least 1", "maxMessages", maxMessages);
  }
  if (onCorrupt !== undefined && onCorrupt !== "throw" && onCorrupt !== "skip") {
    throw illegal('"throw" or "skip" is needed', "onCorrupt", onCorrupt);
  }
  TagFilter.of(filter);
}

function isFrom(from: unknown): boolean {
  if (from === "earliest" || from === "latest") return true;
  return typeof from === "number" ? Number.isSafeInteger(from) && from >= 0 : !Number.isNaN(millisecondsOf(from));
}

function illegal(reason: string, name: string, value: unknown): MillraceError {
  return new MillraceError("ERR_CONSUME_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`);
}
