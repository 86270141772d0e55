import { MillraceError, SYS_FLAG_TRANSACTION_MASK } from "@millrace/format";
import type { Message } from "./message.js";
import type { MessageValidator } from "./message-validator.js";
import { type PutMessageResult, refused } from "./put-message-result.js";

/**
 * Checks a batch: one topic and queue, neither delayed nor transactional (RocketMQ: `asyncPutMessages`), and small enough to lie in
 * one segment. Afterwards `lengths` and `length` describe it. Main thread.
 */
export class MessageBatchValidator {
  lengths: number[] = [];
  length = 0;

  validate(batch: readonly Message[], validator: MessageValidator, nowMs: number): PutMessageResult | undefined {
    if (!Array.isArray(batch) || batch.length === 0) throw illegal("a batch is an array of messages, not an empty one", "batch");
    this.lengths = [];
    this.length = 0;
    const [first] = batch as [Message];
    for (const message of batch as readonly Message[]) {
      const refusal = validator.validate(message, nowMs);
      if (refusal !== undefined) return refusal;
      if (message.topic !== first.topic || message.queueId !== first.queueId) throw illegal("a batch has one topic and queue", message.topic);
      if ((message.waitStoreMsgOK ?? true) !== (first.waitStoreMsgOK ?? true)) throw illegal("a batch has one waitStoreMsgOK", message.topic);
      const special = transactionOrDelay(message);
      if (special !== undefined) return refused("MESSAGE_ILLEGAL", "ERR_BATCH_ILLEGAL", `a batch holds no such message: ${special}`);
      this.lengths.push(validator.length);
      this.length += validator.length;
    }
    return validator.fits(this.length);
  }
}

function transactionOrDelay(message: Message): string | undefined {
  if (message.delayTimeLevel !== undefined && message.delayTimeLevel > 0) return `delayTimeLevel=${message.delayTimeLevel}`;
  if (message.sysFlag !== undefined && (message.sysFlag & SYS_FLAG_TRANSACTION_MASK) !== 0) return `sysFlag=${message.sysFlag}`;
  return undefined;
}

function illegal(reason: string, value: string): MillraceError {
  return new MillraceError("ERR_BATCH_ILLEGAL", `${reason}: value=${value}`, { status: "MESSAGE_ILLEGAL" });
}
