import { MillraceError, SYS_FLAG_TRANSACTION_MASK, shownValue } from "@millrace/format";
import type { Message } from "./message.js";
import type { MessageValidator } from "./message-validator.js";
import { type RefusedPutResult, refused } from "./put-message-result.js";

/**
 * Checks a batch: one topic and queue, one born host and store host (RocketMQ's MessageExtBatch has no more; the appender seals all records
 * alike), neither delayed nor transactional (RocketMQ: `asyncPutMessages`), and small enough to lie in one segment. Afterwards
 * `lengths` and `length` describe it. Main thread.
 */
export class MessageBatchValidator {
  lengths: number[] = [];
  length = 0;

  validate(batch: readonly Message[], validator: MessageValidator, nowMs: number): RefusedPutResult | undefined {
    if (!Array.isArray(batch) || batch.length === 0)
      throw illegal("a batch is an array of messages, not an empty one", "batch", batch);
    this.lengths = [];
    this.length = 0;
    const [first] = batch as [Message];
    const { fields } = validator;
    let bornHost: Uint8Array | undefined;
    let storeHost: Uint8Array | undefined;
    for (const message of batch as readonly Message[]) {
      const refusal = validator.validate(message, nowMs);
      if (refusal !== undefined) return refusal;
      if (message.topic !== first.topic || message.queueId !== first.queueId)
        throw illegal("a batch has one topic and queue", ...difference(first, message, "topic", "queueId"));
      if ((message.waitStoreMsgOK ?? true) !== (first.waitStoreMsgOK ?? true))
        throw illegal("a batch has one waitStoreMsgOK", "waitStoreMsgOK", message.waitStoreMsgOK);
      bornHost ??= fields.bornHost;
      storeHost ??= fields.storeHost;
      if (!sameHost(fields.bornHost, bornHost) || !sameHost(fields.storeHost, storeHost)) {
        throw illegal("a batch has one bornHost and one storeHost", ...difference(first, message, "bornHost", "storeHost"));
      }
      const special = transactionOrDelay(message);
      if (special !== undefined)
        return refused("MESSAGE_ILLEGAL", "ERR_BATCH_ILLEGAL", `a batch holds no such message: ${special}`);
      this.lengths.push(validator.length);
      this.length += validator.length;
    }
    return validator.fits(this.length);
  }
}

/** Encoded hosts are cached: nearly always one object. */
function sameHost(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || (a.length === b.length && a.every((byte, index) => byte === b[index]));
}

function transactionOrDelay(message: Message): string | undefined {
  if (message.delayTimeLevel !== undefined && message.delayTimeLevel > 0) return `delayTimeLevel=${message.delayTimeLevel}`;
  if (message.sysFlag !== undefined && (message.sysFlag & SYS_FLAG_TRANSACTION_MASK) !== 0) return `sysFlag=${message.sysFlag}`;
  return undefined;
}

/** The field, of the two, in which a message is not as the first one, and its value. */
function difference<F extends keyof Message>(first: Message, message: Message, one: F, other: F): [name: F, value: unknown] {
  const name = shownValue(message[one]) === shownValue(first[one]) ? other : one;
  return [name, message[name]];
}

function illegal(reason: string, name: string, value: unknown): MillraceError {
  return new MillraceError("ERR_BATCH_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`, { status: "MESSAGE_ILLEGAL" });
}

/** Its second look at a batch must find what the first one has measured. */
export function batchChanged(): MillraceError {
  return new MillraceError("ERR_BATCH_ILLEGAL", "a message grew while its batch was put: status=MESSAGE_ILLEGAL", {
    status: "MESSAGE_ILLEGAL",
  });
}
