import {
  decodeMessage,
  MESSAGE_BASE_LENGTH,
  PROPERTY_CRC_LENGTH,
  STORE_TIMESTAMP_OFFSET,
  SYS_FLAG_BORN_HOST_V6,
} from "@millrace/format";
import type { Message, MessageStore } from "@millrace/store";
import test from "ava";
import { BORN_TIMESTAMP, type FixtureMessage, fixtureMessages } from "../golden/fixture-message.js";
import { FIXTURE_STORES, type FixturePut } from "../golden/fixture-store.js";
import { readSegments } from "../store/stored-log.js";
import { openStore } from "../store/temporary-store.js";

/** What our store refuses on purpose (a topic of 128 characters), or transforms where RocketMQ 5's broker does it (delay levels). */
const NOT_OURS = new Set(["topic128", "delay3", "delay99"]);

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

/** The record without what depends on the clock: store timestamp, and the CRC over it (which decoding has verified). */
function timeless(bytes: Buffer, position: number, propertyCrc: boolean): { text: string; size: number } {
  const { size, sysFlag } = decodeMessage(bytes, position);
  const record = Buffer.from(bytes.subarray(position, position + size));
  const at = STORE_TIMESTAMP_OFFSET + ((sysFlag & SYS_FLAG_BORN_HOST_V6) === 0 ? 0 : 12);
  record.fill(0, at, at + 8);
  if (propertyCrc) record.fill(0, size - PROPERTY_CRC_LENGTH + 9);
  return { text: record.toString("hex"), size };
}

for (const fixture of FIXTURE_STORES.filter(({ version }) => version === "5.3")) {
  const { appendPropertyCrc } = fixture;
  test.serial(
    `what RocketMQ 5.3.3 was given becomes the same records in our store (enabledAppendPropCRC=${appendPropertyCrc})`,
    async (t) => {
      const store = await openStore(t, {
        mappedFileSizeCommitLog: 4096,
        maxMessageSize: 3000,
        flushDiskType: "SYNC_FLUSH",
        enabledAppendPropCRC: appendPropertyCrc,
      });
      const sources = fixtureMessages("5.3");
      const puts = fixture.puts.filter(({ name, append }) => append !== undefined && sources.has(name));
      t.is(puts.length, sources.size);
      for (const one of puts) {
        const ids = await put(store, one, sources.get(one.name) ?? [], appendPropertyCrc);
        if (!NOT_OURS.has(one.name)) t.is(ids, one.append?.msgIds.join(",") ?? "", one.name);
      }
      await store.close();
      const ours = readSegments(store.config.storePathRootDir);
      let compared = 0;
      for (const { name, append } of puts) {
        if (NOT_OURS.has(name)) continue;
        const segment = Math.floor((append?.offset ?? 0) / 4096);
        for (let position = (append?.offset ?? 0) % 4096, end = position + (append?.bytes ?? 0); position < end; compared++) {
          const theirs = timeless(fixture.segments[segment]?.bytes ?? Buffer.alloc(0), position, appendPropertyCrc);
          t.is(timeless(ours[segment]?.bytes ?? Buffer.alloc(0), position, appendPropertyCrc).text, theirs.text, name);
          position += theirs.size;
        }
      }
      t.true(compared >= 13);
    },
  );
}
