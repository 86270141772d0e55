import { TRANS_OP_REMOVE_TAG } from "@millrace/format";
import type { MessageView } from "../../read/message-view.js";

/** RocketMQ 5 puts several offsets into one op record. */
const OFFSET_SEPARATOR = ",";
const OFFSET = /^\d{1,16}$/;

/** Queue offsets of the half messages that an op record says are decided. */
export function decidedBy(op: MessageView): number[] {
  if (op.tags !== TRANS_OP_REMOVE_TAG) return [];
  const texts = Buffer.from(op.body).toString().split(OFFSET_SEPARATOR);
  return texts.filter((text) => OFFSET.test(text)).map(Number);
}
