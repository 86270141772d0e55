import { MillraceError, topicIllegality } from "@millrace/format";

/** RocketMQ 5 stores topics that are too long to be put here; they can be consumed. */
const STORED_TOPIC_MAX_LENGTH = 255;
const QUEUE_ID_MAX = 0x7fffffff;

/** @throws MillraceError `ERR_TOPIC_ILLEGAL` for what no queue can have as topic */
export function checkTopic(topic: string): void {
  const problem = typeof topic === "string" ? topicIllegality(topic) : "NO_STRING";
  if (problem === undefined || (problem === "TOO_LONG" && topic.length <= STORED_TOPIC_MAX_LENGTH)) return;
  throw new MillraceError("ERR_TOPIC_ILLEGAL", `topic is not legal (${problem}): topic=${shownName(topic)}`);
}

/** @throws MillraceError `ERR_QUEUE_ILLEGAL` for what no queue can have as id */
export function checkQueueId(queueId: number): void {
  if (Number.isInteger(queueId) && queueId >= 0 && queueId <= QUEUE_ID_MAX) return;
  throw new MillraceError("ERR_QUEUE_ILLEGAL", `a queue id is an integer from 0 to ${QUEUE_ID_MAX}: queueId=${String(queueId)}`);
}

/** For messages of errors: names can be anything, and long. */
export function shownName(name: unknown): string {
  return typeof name === "string" ? JSON.stringify(name.slice(0, 300)) : String(name);
}
