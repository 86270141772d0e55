import { MillraceError } from "@millrace/format";
import type { PutMessageResult } from "../../put/put-message-result.js";

/**
 * What a put means for a message that is to be delivered: it is in the log; it never can be; the store is full, or its topic
 * is being deleted, for the moment; it failed, perhaps not the next time; the store takes no more puts.
 */
export type PutVerdict = "delivered" | "illegal" | "busy" | "failed" | "ended";

const ENDED = new Set(["ERR_STORE_CLOSED", "ERR_STORE_FENCED", "ERR_STORE_FAULTED"]);
/** Not before somebody deletes topics: to wait for that would hold up everything behind it. */
const NO_QUEUE = new Set(["ERR_TOO_MANY_QUEUES", "ERR_QUEUE_FULL"]);

export function verdictOfResult({ appendResult, status }: PutMessageResult): PutVerdict {
  return appendResult !== null ? "delivered" : verdictOfStatus(status);
}

export function verdictOfError(error: unknown): PutVerdict {
  if (!(error instanceof MillraceError)) return "failed";
  if (error.code === "ERR_TOPIC_SUSPENDED") return "busy"; // another topic's messages of the level do not wait for it
  if (NO_QUEUE.has(error.code)) return "illegal";
  return ENDED.has(error.code) ? "ended" : verdictOfStatus(error.status);
}

/** Why a put came to nothing: its code, where it has one, and words. */
export function reasonOf(answer: PutMessageResult | Error): string {
  if (answer instanceof MillraceError) return `code=${answer.code} reason=${answer.message}`;
  return answer instanceof Error ? `reason=${answer.message}` : `code=${answer.code} reason=${answer.reason}`;
}

function verdictOfStatus(status: string | undefined): PutVerdict {
  if (status === "MESSAGE_ILLEGAL" || status === "PROPERTIES_SIZE_EXCEEDED") return "illegal";
  return status === "OS_PAGE_CACHE_BUSY" ? "busy" : "failed";
}
