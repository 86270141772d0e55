import {
  isReservedTopic,
  PROPERTY_DELAY_TIME_LEVEL,
  PROPERTY_KEYS,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
  PROPERTY_TAGS,
  PROPERTY_WAIT_STORE_MSG_OK,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_STORE_HOST_V6,
} from "@millrace/format";
import type { Message } from "../put/message.js";
import type { MessageView } from "../read/message-view.js";

/** What {@link Message} has fields for: not among its `properties`. */
const FIELD_PROPERTIES = [PROPERTY_TAGS, PROPERTY_KEYS, PROPERTY_WAIT_STORE_MSG_OK, PROPERTY_DELAY_TIME_LEVEL];
const QUEUE_ID = /^\d{1,10}$/;

/** Topic and queue. */
export interface QueueName {
  readonly topic: string;
  readonly queueId: number;
}

/** Where a message belongs that is kept in a system topic for now; undefined when it does not say so, or names a reserved topic. */
export function realQueue(stored: MessageView): QueueName | undefined {
  const topic = stored.property(PROPERTY_REAL_TOPIC);
  const queueId = stored.property(PROPERTY_REAL_QUEUE_ID);
  if (topic === undefined || queueId === undefined || !QUEUE_ID.test(queueId) || isReservedTopic(topic)) return undefined;
  return { topic, queueId: Number(queueId) };
}

/**
 * A stored message as it was put, to be put again under another name: body, flags, birth, store host and all properties but DELAY and those
 * named. The body is a view of the record's memory.
 */
export function storedMessage(stored: MessageView, { topic, queueId }: QueueName, without: readonly string[] = []): Message {
  const { properties } = stored;
  const tags = properties.get(PROPERTY_TAGS);
  const keys = properties.get(PROPERTY_KEYS);
  const wait = properties.has(PROPERTY_WAIT_STORE_MSG_OK) ? { waitStoreMsgOK: stored.waitStoreMsgOK } : {};
  for (const name of [...FIELD_PROPERTIES, ...without]) properties.delete(name);
  return {
    topic,
    queueId,
    body: stored.body,
    ...(tags === undefined ? {} : { tags }),
    ...(keys === undefined ? {} : { keys }),
    ...wait,
    properties: Object.fromEntries(properties),
    flag: stored.flag,
    // The encoder sets the bits of the hosts, and an IPv4 address that was kept in IPv6 form becomes IPv4.
    sysFlag: stored.sysFlag & ~(SYS_FLAG_BORN_HOST_V6 | SYS_FLAG_STORE_HOST_V6),
    bornTimestamp: stored.bornTimestamp,
    bornHost: stored.bornHost,
    storeHost: stored.storeHost,
    reconsumeTimes: stored.reconsumeTimes,
  };
}
