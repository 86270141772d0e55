/** What a queue is named by: a topic and a queue id. The one check of each, for puts, reads, consumers and paths. */

import { MillraceError } from "./millrace-error.js";
import { shownValue } from "./shown-value.js";
import { DLQ_TOPIC_PREFIX, isReservedTopic, RETRY_TOPIC_PREFIX } from "./system-topic.js";

type TopicIllegality = "EMPTY" | "TOO_LONG" | "ILLEGAL_CHARACTER";

const TOPIC_PATTERN = /^[%|a-zA-Z0-9_-]*$/;
const TOPIC_MAX_LENGTH = 127;
/** For retry and dead-letter topics, which carry a group's name behind their prefix. */
const GROUP_TOPIC_MAX_LENGTH = 255;
export const QUEUE_ID_MAX = 0x7fffffff;

/** Why a topic is not allowed. Topics become directories, so nothing that means something in a path may pass (CVE-2019-17572). @forTests */
export function topicIllegality(topic: string): TopicIllegality | undefined {
  if (topic === "") return "EMPTY";
  const isGroupTopic = topic.startsWith(RETRY_TOPIC_PREFIX) || topic.startsWith(DLQ_TOPIC_PREFIX);
  if (topic.length > (isGroupTopic ? GROUP_TOPIC_MAX_LENGTH : TOPIC_MAX_LENGTH)) return "TOO_LONG";
  return TOPIC_PATTERN.test(topic) ? undefined : "ILLEGAL_CHARACTER";
}

/** Whether a topic that was found in a store may be a directory: RocketMQ 5 stores topics longer than are put here. */
export function isTopicDirectoryLegal(topic: string): boolean {
  return topic !== "" && topic.length <= GROUP_TOPIC_MAX_LENGTH && TOPIC_PATTERN.test(topic);
}

export function isTopicLegal(topic: string): boolean {
  return topicIllegality(topic) === undefined;
}

/** For a topic that is to be put. @throws MillraceError `ERR_TOPIC_ILLEGAL` */
export function checkTopic(topic: unknown): void {
  if (typeof topic !== "string" || !isTopicLegal(topic)) throw illegalTopic(topic);
}

/** For a topic that a user puts into: none of a broker's own. @throws MillraceError `ERR_TOPIC_ILLEGAL` */
export function checkNotReserved(topic: string): void {
  if (!isReservedTopic(topic)) return;
  const message = `the topic is the store's own, which puts there itself: topic=${topic}`;
  throw new MillraceError("ERR_TOPIC_ILLEGAL", message, { status: "MESSAGE_ILLEGAL" });
}

/** For a topic that is to be read: what {@link isTopicDirectoryLegal} lets pass. @throws MillraceError `ERR_TOPIC_ILLEGAL` */
export function checkStoredTopic(topic: unknown): void {
  if (typeof topic !== "string" || !isTopicDirectoryLegal(topic)) throw illegalTopic(topic);
}

/** @throws MillraceError `ERR_QUEUE_ILLEGAL` */
export function checkQueueId(queueId: unknown): void {
  if (Number.isInteger(queueId) && (queueId as number) >= 0 && (queueId as number) <= QUEUE_ID_MAX) return;
  const message = `a queue id is an integer from 0 to ${QUEUE_ID_MAX}: queueId=${shownValue(queueId)}`;
  throw new MillraceError("ERR_QUEUE_ILLEGAL", message, { status: "MESSAGE_ILLEGAL" });
}

function illegalTopic(topic: unknown): MillraceError {
  const problem = typeof topic === "string" ? (topicIllegality(topic) ?? "TOO_LONG") : "NO_STRING";
  const message =
    `a topic is 1 to ${TOPIC_MAX_LENGTH} of % | a-z A-Z 0-9 _ - (${GROUP_TOPIC_MAX_LENGTH} after ${RETRY_TOPIC_PREFIX} or ` +
    `${DLQ_TOPIC_PREFIX}): problem=${problem} topic=${shownValue(topic)}`;
  return new MillraceError("ERR_TOPIC_ILLEGAL", message, { status: "MESSAGE_ILLEGAL" });
}
