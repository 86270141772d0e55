import type { Message } from "@millrace/store";
import type { ProgramMessage } from "./protocol.js";

/** Some properties are fields of Millrace's message. */
export function putMessageOf(message: ProgramMessage): Message {
  const properties = new Map(message.properties);
  const take = (name: string): string | undefined => {
    const value = properties.get(name);
    properties.delete(name);
    return value;
  };
  const tags = take("TAGS");
  const keys = take("KEYS");
  const wait = take("WAIT");
  const delay = take("DELAY");
  return {
    topic: message.topic,
    queueId: message.queueId,
    body: Buffer.from(message.body, "base64"),
    flag: message.flag,
    sysFlag: message.sysFlag,
    bornTimestamp: message.bornTimestamp,
    bornHost: message.bornHost,
    storeHost: message.storeHost,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: message.preparedTransactionOffset,
    ...(tags === undefined ? {} : { tags }),
    ...(keys === undefined ? {} : { keys }),
    ...(wait === undefined ? {} : { waitStoreMsgOK: wait === "true" }),
    ...(delay === undefined ? {} : { delayTimeLevel: Number(delay) }),
    ...(properties.size === 0 ? {} : { properties: Object.fromEntries(properties) }),
  };
}
