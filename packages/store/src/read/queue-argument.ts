import { MillraceError } from "@millrace/format";

/** @throws MillraceError `ERR_GET_ILLEGAL` for what can be the name of no queue at all */
export function checkQueue(topic: string, queueId: number): void {
  if (typeof topic !== "string" || topic === "") {
    throw new MillraceError("ERR_GET_ILLEGAL", `a topic is a string, not empty: topic=${String(topic)}`);
  }
  if (!Number.isSafeInteger(queueId) || queueId < 0) {
    throw new MillraceError("ERR_GET_ILLEGAL", `a queue id is an integer of at least 0: queueId=${String(queueId)}`);
  }
}
