import { MESSAGE_BASE_LENGTH, PROPERTY_CRC_LENGTH } from "@millrace/format";
import type { Message, MessageStore } from "@millrace/store";
import type { ExecutionContext } from "ava";
import { BORN_TIMESTAMP, type FixtureMessage, fixtureMessages } from "./fixture-message.js";
import type { FixturePut, FixtureStore } from "./fixture-store.js";
import { openStore } from "./temporary-store.js";

/**
 * What our store refuses on purpose (a topic of 128 characters), or transforms where RocketMQ 5's broker does it (delay levels).
 * Queue 0 of topic `filler` stands for them.
 */
export const NOT_OURS = new Set(["topic128", "delay3", "delay99"]);

function messageOf(source: FixtureMessage): Message {
  const { topic, queueId, flag, sysFlag, reconsumeTimes, preparedTransactionOffset, bornHost, storeHost } = source;
  const { TAGS, KEYS, WAIT, ...own } = source.properties;
  return {
    topic,
    queueId,
    body: Buffer.from(source.body),
    flag,
    sysFlag,
    reconsumeTimes,
    preparedTransactionOffset,
    bornHost,
    storeHost,
    bornTimestamp: BORN_TIMESTAMP,
    ...(TAGS !== undefined && { tags: TAGS }),
    ...(KEYS !== undefined && { keys: KEYS }),
    ...(WAIT !== undefined && { waitStoreMsgOK: WAIT === "true" }),
    ...(Object.keys(own).length > 0 && { properties: own }),
  };
}

/** A message of another topic whose record is as long as the one that it stands for. */
function filler(length: number, propertyCrc: boolean): Message {
  const topic = "filler";
  const body = new Uint8Array(length - MESSAGE_BASE_LENGTH - topic.length - (propertyCrc ? PROPERTY_CRC_LENGTH : 0));
  return { topic, queueId: 0, body };
}

async function put(
  store: MessageStore,
  fixture: FixturePut,
  sources: readonly FixtureMessage[],
  propertyCrc: boolean,
): Promise<string> {
  if (NOT_OURS.has(fixture.name))
    return (await store.putMessage(filler(fixture.append?.bytes ?? 0, propertyCrc))).appendResult?.msgId ?? "";
  const messages = sources.map(messageOf);
  const [first] = messages;
  const result = await (messages.length === 1 && first !== undefined ? store.putMessage(first) : store.putMessages(messages));
  return result.appendResult?.msgId ?? result.status;
}

/** What a fixture's RocketMQ 5 appended, in the same order. */
export function appendedPuts(fixture: FixtureStore): FixturePut[] {
  const sources = fixtureMessages("5.3");
  return fixture.puts.filter(({ name, append }) => append !== undefined && sources.has(name));
}

/** An empty store as the fixture's was, given what that was given. Closed. */
export async function storeOfFixtureInput(t: ExecutionContext, fixture: FixtureStore): Promise<string> {
  const { appendPropertyCrc } = fixture;
  const store = await openStore(t, {
    mappedFileSizeCommitLog: 4096,
    mappedFileSizeConsumeQueue: 200,
    maxHashSlotNum: 100,
    maxIndexNum: 50,
    maxMessageSize: 3000,
    flushDiskType: "SYNC_FLUSH",
    enabledAppendPropCRC: appendPropertyCrc,
  });
  const sources = fixtureMessages("5.3");
  const puts = appendedPuts(fixture);
  t.is(puts.length, sources.size);
  for (const one of puts) {
    const ids = await put(store, one, sources.get(one.name) ?? [], appendPropertyCrc);
    if (!NOT_OURS.has(one.name)) t.is(ids, one.append?.msgIds.join(",") ?? "", one.name);
  }
  await store.close();
  return store.config.storePathRootDir;
}
