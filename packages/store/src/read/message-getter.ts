import { totalmem } from "node:os";
import { CONSUME_QUEUE_UNIT_LENGTH, type GetMessageStatus } from "@millrace/format";
import { monotonicMs } from "@millrace/shared-memory";
import type { StoreStats } from "@millrace/stats";
import { checkKnownKeys, knownKeys } from "../config/known-keys.js";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { CommitLogReader } from "./commit-log-reader.js";
import type { ConsumeQueueReader } from "./consume-queue-reader.js";
import { GetMessageResult } from "./get-message-result.js";
import { GetMessageScan } from "./get-message-scan.js";
import { checkQueueOffset, illegalArgument } from "./illegal-argument.js";
import type { ReadConsumeQueue } from "./read-consume-queue.js";
import { type MessageFilter, TagFilter } from "./tag-filter.js";

/** What {@link MessageStore.getMessage} takes. */
export interface GetMessageRequest {
  readonly topic: string;
  readonly queueId: number;
  /** Queue offset of the first message wanted. */
  readonly queueOffset: number;
  /** Default 32. The limits of `maxTransfer…` hold too. */
  readonly maxMessages?: number;
  /** Of all records together, at least 100; the first one found comes whatever its size. Default and most 128 MiB. */
  readonly maxBytes?: number;
  readonly filter?: MessageFilter;
}

const KNOWN_KEYS = knownKeys<GetMessageRequest>({
  topic: true,
  queueId: true,
  queueOffset: true,
  maxMessages: true,
  maxBytes: true,
  filter: true,
});
const MEMORY = totalmem();
const DEFAULT_MAX_MESSAGES = 32;
const LEAST_MAX_BYTES = 100;
const MOST_MAX_BYTES = 128 * 1024 * 1024;

/** Reads by queue offset. (RocketMQ: `DefaultMessageStore.getMessage`, version 5.) */
export class MessageGetter {
  /** Gets that found something, and that did not; messages given out; the longest get. (RocketMQ: `StoreStatsService`.) */
  readonly #stats = { found: 0, miss: 0, transferredMessages: 0, entireTimeMaxMs: 0 };
  readonly #config: MessageStoreConfig;
  readonly #log: CommitLogReader;
  readonly #queues: ConsumeQueueReader;
  readonly #memory: number;
  readonly #filesComeBack: boolean;

  /** @param filesComeBack a ConsumeQueue's file that is missing may be one that somebody else is building again */
  constructor(config: MessageStoreConfig, log: CommitLogReader, queues: ConsumeQueueReader, filesComeBack = false) {
    this.#config = config;
    this.#filesComeBack = filesComeBack;
    this.#log = log;
    this.#queues = queues;
    this.#memory = MEMORY * (config.accessMessageInMemoryMaxRatio / 100);
  }

  get stats(): StoreStats["get"] {
    return { ...this.#stats, corruptRecords: this.#log.verifier.corruptRecords };
  }

  /**
   * The messages from a queue offset on, with a lease on the memory they lie in; from a queue that does not exist as from one
   * without messages.
   *
   * @throws MillraceError `ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_GET_ILLEGAL`, `ERR_FILTER_ILLEGAL`; {@link RecordCorruptError}
   * with its `queueOffset` when the first message that it would give is corrupt; the system's own error when a file cannot be mapped
   */
  getMessage(request: GetMessageRequest): GetMessageResult {
    const began = monotonicMs();
    const result = this.#get(request);
    const elapsed = monotonicMs() - began;
    const stats = this.#stats;
    if (elapsed > stats.entireTimeMaxMs) stats.entireTimeMaxMs = elapsed;
    if (result.status === "FOUND") stats.found++;
    else stats.miss++;
    stats.transferredMessages += result.messages.length;
    return result;
  }

  #get(request: GetMessageRequest): GetMessageResult {
    check(request);
    const filter = TagFilter.of(request.filter);
    const queue = this.#queues.find(request.topic, request.queueId);
    // The lower bound first: it never passes an upper bound that is loaded later.
    const minOffset = queue?.minOffset ?? 0;
    const maxOffset = queue?.maxOffset ?? 0;
    const { queueOffset } = request;
    if (queue === undefined || maxOffset === 0) return this.#nothing("NO_MESSAGE_IN_QUEUE", queueOffset, 0, minOffset, maxOffset);
    if (queueOffset < minOffset) return this.#nothing("OFFSET_TOO_SMALL", queueOffset, minOffset, minOffset, maxOffset);
    if (queueOffset === maxOffset) return this.#nothing("OFFSET_OVERFLOW_ONE", queueOffset, queueOffset, minOffset, maxOffset);
    if (queueOffset > maxOffset) return this.#nothing("OFFSET_OVERFLOW_BADLY", queueOffset, maxOffset, minOffset, maxOffset);
    return this.#scan(queue, request, filter, minOffset, maxOffset);
  }

  #scan(
    queue: ReadConsumeQueue,
    request: GetMessageRequest,
    filter: TagFilter | undefined,
    minOffset: number,
    maxOffset: number,
  ): GetMessageResult {
    const config = this.#config;
    const { queueOffset, maxMessages = DEFAULT_MAX_MESSAGES, maxBytes = MOST_MAX_BYTES } = request;
    const limits = {
      maxMessages,
      maxBytes: Math.min(Math.max(maxBytes, LEAST_MAX_BYTES), MOST_MAX_BYTES),
      memory: this.#memory,
      maxBytesInMemory: config.maxTransferBytesOnMessageInMemory,
      maxCountInMemory: config.maxTransferCountOnMessageInMemory,
      maxBytesOnDisk: config.maxTransferBytesOnMessageInDisk,
      maxCountOnDisk: config.maxTransferCountOnMessageInDisk,
    };
    const scan = new GetMessageScan(this.#log, limits, filter);
    const units = Math.max(Math.ceil(config.maxFilterMessageSize / CONSUME_QUEUE_UNIT_LENGTH), maxMessages);
    try {
      const end = Math.min(maxOffset, queueOffset + units);
      const next = scan.run(queue, queueOffset, end, config.travelCqFileNumWhenGetMessage);
      const { status, messages, bufferTotalSize, isFarBehind, segments } = scan;
      const begin = status === "OFFSET_FOUND_NULL" && !this.#staysAtMissing ? queue.rollNextFile(next) : next;
      return new GetMessageResult(status, begin, minOffset, maxOffset, messages, bufferTotalSize, isFarBehind, segments);
    } catch (error) {
      scan.release();
      throw error;
    }
  }

  /** Nobody is sent over a file that is missing: on a slave as in RocketMQ, beside another process because it may come back. */
  get #staysAtMissing(): boolean {
    return this.#filesComeBack || this.#config.brokerRole === "SLAVE";
  }

  /** No messages, and nothing held. A slave sends nobody elsewhere: it may be behind its master. (RocketMQ: `nextOffsetCorrection`.) */
  #nothing(status: GetMessageStatus, asked: number, next: number, minOffset: number, maxOffset: number): GetMessageResult {
    const answered = this.#config.brokerRole === "SLAVE" ? asked : next;
    return new GetMessageResult(status, answered, minOffset, maxOffset, [], 0, false, []);
  }
}

function check(request: GetMessageRequest): void {
  if (typeof request !== "object" || request === null)
    throw illegalArgument("a request is { topic, queueId, queueOffset }", "request", request);
  checkKnownKeys(request, KNOWN_KEYS, "ERR_GET_ILLEGAL");
  const { queueOffset, maxMessages, maxBytes } = request;
  checkQueueOffset(queueOffset);
  checkLimit("maxMessages", maxMessages);
  checkLimit("maxBytes", maxBytes);
}

function checkLimit(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw illegalArgument("a limit is an integer of at least 1", name, value);
}
