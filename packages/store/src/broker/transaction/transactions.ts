import { setImmediate, setTimeout } from "node:timers/promises";
import {
  checkNotReserved,
  checkQueueId,
  checkTopic,
  isAbortSignal,
  MillraceError,
  type MillraceErrorCode,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
  PROPERTY_TRANSACTION_PREPARED,
  SYS_FLAG_COMMIT,
  SYS_FLAG_TRANSACTION_MASK,
  shownValue,
  TRANS_HALF_TOPIC,
  TRANS_OP_HALF_TOPIC,
  TRANS_OP_REMOVE_TAG,
} from "@millrace/format";
import { monotonicMs, wallClockMs } from "@millrace/shared-memory";
import { checkKnownKeys, knownKeys } from "../../config/known-keys.js";
import type { Message } from "../../put/message.js";
import { checkProperties } from "../../put/property-writer.js";
import type { AppendMessageResult, PutMessageResult } from "../../put/put-message-result.js";
import type { MessageView } from "../../read/message-view.js";
import { isBuiltAgain } from "../../read/unit-verifier.js";
import { realQueue, storedMessage } from "../stored-message.js";
import { HALF_PROPERTIES, HalfMessageView } from "./half-message-view.js";
import { HALF_QUEUE_ID, HalfMessages } from "./half-messages.js";
import type { PreparedMessage, PrepareMessageResult, UndecidedMessage, UndecidedRequest } from "./prepared-message.js";
import type { TransactionProgress, TransactionStore } from "./transaction-store.js";

const UNDECIDED_KEYS = knownKeys<UndecidedRequest>({ olderThanMs: true, limit: true, signal: true });
/** What has been acknowledged can be read soon after: with the transient pool when it is committed, on a full disk later. */
const READABLE_LOOK_MS = 5;
const READABLE_TIMEOUT_MS = 10_000;
/** Decisions between two notes of the progress. */
const NOTE_DECISIONS = 1024;
/** Half messages held back until a later one tells how old they are. */
const UNDATED_LIMIT = 1024;
/** Records read in one turn of the event loop. */
const RECORDS_PER_TURN = 256;

/**
 * Transactions as RocketMQ's broker keeps them: a prepared message waits as a normal one in RMQ_SYS_TRANS_HALF_TOPIC; to commit it
 * is to put it under its own topic and queue (type commit, `preparedTransactionOffset` = physical offset of the half message); an
 * op record in RMQ_SYS_TRANS_OP_HALF_TOPIC, with the half message's queue offset, says that it has been decided. Main thread.
 * (RocketMQ: `TransactionalMessageBridge`, `EndTransactionProcessor`.)
 *
 * Nobody decides by himself: who wants to know what became of a producer reads {@link undecidedMessages} and asks it. Half messages go with
 * retention like all others. A crash between the committed message and its op record leaves the half message undecided: committed
 * again, the message is there twice.
 */
export class Transactions {
  readonly #store: TransactionStore;
  readonly #halfs: HalfMessages;
  /** Queue offsets of half messages whose decision is under way. */
  readonly #deciding = new Set<number>();
  /** Committed, but the op record could not be put. */
  readonly #unrecorded = new Map<number, PutMessageResult>();
  #decisions = 0;

  /** The store is open, and all that it recovered is dispatched. */
  constructor(store: TransactionStore, progress: TransactionProgress) {
    this.#store = store;
    this.#halfs = new HalfMessages(store, progress);
  }

  /**
   * Puts a message that nobody sees before it is committed. Answers and rejects as `putMessage` does for the message; a delay level is
   * `ERR_TRANSACTION_DELAYED` (RocketMQ's client drops it).
   */
  async prepareMessage(message: Message): Promise<PrepareMessageResult> {
    const result = await this.#store.putMessage(halfMessage(message));
    if (result.appendResult === null) return { ...result, prepared: null };
    return { ...result, prepared: preparedMessage(result.appendResult) };
  }

  /**
   * Puts the message under its own topic and queue, then the op record. Not PUT_OK: it was not, and is still undecided.
   *
   * Rejects with `ERR_TRANSACTION_UNKNOWN` (no half message has this name, or it is gone with its segment),
   * `ERR_TRANSACTION_DECIDED` (committed or rolled back before, or just being so), `ERR_TRANSACTION_UNRECORDED` (committed, but the
   * op record could not be put: commit again, which then puts only that), and as `putMessage`.
   */
  commitMessage(prepared: PreparedMessage): Promise<PutMessageResult> {
    return this.#decide(prepared, (half) => this.#commit(half));
  }

  /** Puts the op record: the message will never be seen. Its result; rejects as {@link commitMessage}. */
  rollbackMessage(prepared: PreparedMessage): Promise<PutMessageResult> {
    return this.#decide(prepared, async (half) => {
      const { queueOffset } = half;
      if (this.#unrecorded.has(queueOffset)) throw decided(queueOffset);
      return await this.#putOp(queueOffset);
    });
  }

  /**
   * The half messages that are neither committed nor rolled back, oldest first, as they are when the list gets there. Waits for
   * nothing: one that was prepared just now, and is not dispatched yet, is in the next list.
   */
  async *undecidedMessages(request: UndecidedRequest = {}): AsyncGenerator<UndecidedMessage, void, undefined> {
    const { olderThanMs = 0, limit = Infinity, signal } = checkedRequest(request);
    const now = wallClockMs();
    const newest = olderThanMs === 0 ? Infinity : now - olderThanMs;
    /** Stamped in the future: the clock was set back since. They are as old as a later one at least. */
    const undated: UndecidedMessage[] = [];
    await this.#halfs.note();
    let given = 0;
    let read = 0;
    for (let queueOffset = this.#halfs.from; given < limit && signal?.aborted !== true; queueOffset++) {
      const queue = this.#halfs.halfQueue;
      queueOffset = Math.max(queueOffset, this.#halfs.from);
      if (queue === undefined || queueOffset >= queue.maxOffset) return;
      if (++read % RECORDS_PER_TURN === 0) await setImmediate();
      if (this.#isDecided(queueOffset)) continue;
      const half = this.#halfs.read(queue, queueOffset);
      const undecided = half === undefined ? undefined : undecidedMessage(half);
      if (undecided === undefined) continue;
      if (undecided.storeTimestamp > now && newest !== Infinity) {
        if (undated.length < UNDATED_LIMIT) undated.push(undecided);
        continue;
      }
      if (undecided.storeTimestamp > newest) return;
      for (const one of [...undated.splice(0), undecided].slice(0, limit - given)) {
        given++;
        yield one;
      }
    }
  }

  /**
   * Notes how far it has come. Before the progress is saved, and after everything was made durable. Not when a unit is bad that nobody
   * builds again any more: the next opening reads from where it was noted before.
   */
  async close(): Promise<void> {
    if (!this.#halfs.isUsed) return;
    try {
      await this.#halfs.note();
    } catch (error) {
      if (!isBuiltAgain(error)) throw error;
    }
  }

  #isDecided(queueOffset: number): boolean {
    return this.#halfs.isDecided(queueOffset) || this.#deciding.has(queueOffset) || this.#unrecorded.has(queueOffset);
  }

  async #decide(prepared: PreparedMessage, decide: (half: MessageView) => Promise<PutMessageResult>): Promise<PutMessageResult> {
    const half = await this.#half(prepared);
    await this.#halfs.readOps();
    const { queueOffset } = prepared;
    if (this.#halfs.isDecided(queueOffset) || this.#deciding.has(queueOffset)) throw decided(queueOffset);
    if (half === undefined) throw unknown(prepared);
    this.#deciding.add(queueOffset);
    try {
      return await decide(half);
    } finally {
      this.#deciding.delete(queueOffset);
    }
  }

  async #commit(half: MessageView): Promise<PutMessageResult> {
    const { queueOffset } = half;
    let result = this.#unrecorded.get(queueOffset);
    if (result === undefined) {
      result = await this.#store.commitMessage(committedMessage(half));
      if (result.appendResult === null) return result;
      this.#unrecorded.set(queueOffset, result);
    }
    await this.#record(queueOffset);
    this.#unrecorded.delete(queueOffset);
    return result;
  }

  async #record(queueOffset: number): Promise<void> {
    let reason: unknown;
    try {
      const op = await this.#putOp(queueOffset);
      if (op.appendResult !== null) return;
      reason = op.reason;
    } catch (error) {
      reason = error;
    }
    const text = `the message is committed, but the record of it could not be put: queueOffset=${queueOffset} reason=${String(reason)}`;
    throw new MillraceError("ERR_TRANSACTION_UNRECORDED", text, { cause: reason });
  }

  async #putOp(queueOffset: number): Promise<PutMessageResult> {
    const result = await this.#store.putMessage({
      topic: TRANS_OP_HALF_TOPIC,
      queueId: HALF_QUEUE_ID,
      body: Buffer.from(String(queueOffset)),
      tags: TRANS_OP_REMOVE_TAG,
    });
    const { appendResult } = result;
    if (appendResult !== null) {
      this.#halfs.decided(queueOffset, appendResult.wroteOffset + appendResult.wroteBytes);
      if (++this.#decisions % NOTE_DECISIONS === 0) this.#halfs.note().catch(() => {});
    }
    return result;
  }

  /** The half message of this name; undefined when it is gone. */
  async #half(prepared: PreparedMessage): Promise<MessageView | undefined> {
    if (typeof prepared !== "object" || prepared === null) throw unknown(prepared);
    const { physicalOffset, queueOffset } = prepared;
    const isOffset = (offset: unknown): boolean => Number.isSafeInteger(offset) && (offset as number) >= 0;
    if (!isOffset(physicalOffset) || !isOffset(queueOffset) || physicalOffset >= this.#store.maxPhysicalOffset)
      throw unknown(prepared);
    await this.#readable(physicalOffset);
    const half = this.#store.message(physicalOffset);
    if (half === undefined) return undefined;
    const isHalf = half.topic === TRANS_HALF_TOPIC && half.queueOffset === queueOffset && realQueue(half) !== undefined;
    if (!isHalf) throw unknown(prepared);
    return half;
  }

  /** What was acknowledged is shown a little later. */
  async #readable(physicalOffset: number): Promise<void> {
    const deadline = monotonicMs() + READABLE_TIMEOUT_MS;
    while (this.#store.readableOffset <= physicalOffset) {
      if (monotonicMs() > deadline) {
        const text = `the half message cannot be read yet: physicalOffset=${physicalOffset} readableOffset=${this.#store.readableOffset}`;
        throw new MillraceError("ERR_TRANSACTION_TIMEOUT", text);
      }
      await setTimeout(READABLE_LOOK_MS);
    }
  }
}

/** (RocketMQ: `TransactionalMessageBridge.parseHalfMessageInner`.) */
function halfMessage(message: Message): Message {
  if (typeof message !== "object" || message === null || typeof message.topic !== "string") return message;
  const { topic, queueId, delayTimeLevel, properties = {}, sysFlag = 0 } = message;
  checkTopic(topic);
  checkNotReserved(topic);
  checkQueueId(queueId);
  if (delayTimeLevel !== undefined && delayTimeLevel !== 0) {
    throw illegal("ERR_TRANSACTION_DELAYED", "a message in a transaction has no delay", "delayTimeLevel", delayTimeLevel);
  }
  checkProperties(properties);
  return {
    ...message,
    topic: TRANS_HALF_TOPIC,
    queueId: HALF_QUEUE_ID,
    sysFlag: sysFlag & ~SYS_FLAG_TRANSACTION_MASK,
    properties: {
      ...properties,
      [PROPERTY_TRANSACTION_PREPARED]: "true",
      [PROPERTY_REAL_TOPIC]: topic,
      [PROPERTY_REAL_QUEUE_ID]: String(queueId),
    },
  };
}

/** (RocketMQ: `EndTransactionProcessor.endMessageTransaction`.) */
function committedMessage(half: MessageView): Message {
  const real = realQueue(half) as NonNullable<ReturnType<typeof realQueue>>;
  const message = storedMessage(half, real, HALF_PROPERTIES);
  const sysFlag = ((message.sysFlag ?? 0) & ~SYS_FLAG_TRANSACTION_MASK) | SYS_FLAG_COMMIT;
  return { ...message, sysFlag, preparedTransactionOffset: half.physicalOffset };
}

function preparedMessage({ wroteOffset, queueOffset, msgId }: AppendMessageResult): PreparedMessage {
  return { physicalOffset: wroteOffset, queueOffset, msgId };
}

function undecidedMessage(message: MessageView): UndecidedMessage | undefined {
  const real = realQueue(message);
  if (real === undefined) return undefined;
  const { physicalOffset, queueOffset, msgId, storeTimestamp } = message;
  const shown = HalfMessageView.of(message, real);
  return { prepared: { physicalOffset, queueOffset, msgId }, ...real, storeTimestamp, message: shown };
}

function illegal(code: MillraceErrorCode, reason: string, name: string, value: unknown): MillraceError {
  return new MillraceError(code, `${reason}: ${name}=${shownValue(value)}`, { status: "MESSAGE_ILLEGAL" });
}

/** @throws MillraceError `ERR_UNDECIDED_ILLEGAL` */
function checkedRequest(request: UndecidedRequest): UndecidedRequest {
  if (typeof request !== "object" || request === null) throw illegalRequest("a request is an object", "request", request);
  checkKnownKeys(request, UNDECIDED_KEYS, "ERR_UNDECIDED_ILLEGAL");
  for (const name of ["olderThanMs", "limit"] as const) {
    const value = request[name];
    if (value !== undefined && !(typeof value === "number" && value >= 0))
      throw illegalRequest("a number of at least 0 is needed", name, value);
  }
  const { signal } = request;
  if (signal !== undefined && !isAbortSignal(signal)) throw illegalRequest("an AbortSignal is needed", "signal", signal);
  return request;
}

function illegalRequest(reason: string, name: string, value: unknown): MillraceError {
  return new MillraceError("ERR_UNDECIDED_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`);
}

function unknown(prepared: unknown): MillraceError {
  return new MillraceError("ERR_TRANSACTION_UNKNOWN", `there is no such half message: prepared=${shownValue(prepared)}`);
}

function decided(queueOffset: number): MillraceError {
  const text = `the half message is committed or rolled back already: queueOffset=${queueOffset}`;
  return new MillraceError("ERR_TRANSACTION_DECIDED", text);
}
