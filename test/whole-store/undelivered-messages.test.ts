import type { Message, MessageStore, PreparedMessage, StoreFailureEvent } from "@millrace/store";
import test from "ava";
import { messagesOf } from "../support/stored-messages.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, message, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const PROPERTIES_LIMIT = 32_767;
/** DELAY, REAL_TOPIC and REAL_QID of a delayed message to queue 0, and the name of its own property `a`; without the topic's length. */
const DELAYED_PROPERTIES = "DELAY.1.".length + "REAL_TOPIC..".length + "REAL_QID.0.".length + "a..".length;
/** What delivery adds to the properties: WAIT=false, without DELAY. */
const GROWTH = "WAIT.false.".length - "DELAY.1.".length;
const NOW = { messageDelayLevel: "0s" };
/** A record without topic, body and properties; a blank record comes after it in a segment. */
const [RECORD, BLANK] = [91, 8];

function delayed(changes: Partial<Message>): Message {
  return message({ delayTimeLevel: 1, ...changes });
}

/** A delayed message whose stored properties have so many bytes. */
function withProperties(bytes: number, changes: Partial<Message> = {}): Message {
  const { waitStoreMsgOK } = changes;
  const wait = waitStoreMsgOK === undefined ? 0 : `WAIT.${waitStoreMsgOK}.`.length;
  return delayed({ properties: { a: "x".repeat(bytes - DELAYED_PROPERTIES - "TopicA".length - wait) }, ...changes });
}

/** A delayed message whose record will have so many bytes when it is delivered. */
function deliveredOf(topic: string, bytes: number): Message {
  const fixed = RECORD + topic.length + (topic.length > 127 ? 1 : 0);
  const properties = DELAYED_PROPERTIES - "a..".length + topic.length + GROWTH;
  return delayed({ topic, body: new Uint8Array(bytes - fixed - properties) });
}

const delivered = (store: MessageStore, topic = "TopicA"): number => store.getMaxOffsetInQueue(topic, 0);

test("properties that will be too long when they are delivered are refused when they are put; the longest are delivered", async (t) => {
  for (const enabledAppendPropCRC of [false, true]) {
    const limit = PROPERTIES_LIMIT - (enabledAppendPropCRC ? "__CRC32#.1234567890.".length : 0);
    const store = await openStore(t, { ...NOW, enabledAppendPropCRC, mappedFileSizeCommitLog: 1024 * KIB });
    for (const [waitStoreMsgOK, longest] of [
      [undefined, limit - GROWTH],
      [true, limit],
      [false, limit],
    ] as const) {
      const changes = waitStoreMsgOK === undefined ? {} : { waitStoreMsgOK };
      const before = delivered(store);
      t.is((await store.putMessage(withProperties(longest, changes))).status, "PUT_OK");
      await until(() => delivered(store) === before + 1);
      const refusal = await store.putMessage(withProperties(longest + 1, changes));
      t.like(refusal, { status: "PROPERTIES_SIZE_EXCEEDED", code: "ERR_PROPERTIES_TOO_LARGE", appendResult: null });
    }
    t.is(store.stats().schedule.skipped, 0);
  }
});

test("a record that is too long for a segment when it is delivered is refused when it is put; the longest is delivered", async (t) => {
  const store = await openStore(t, { ...NOW, enabledAppendPropCRC: false });
  for (const topic of ["T".repeat(127), `%RETRY%${"T".repeat(248)}`]) {
    const longest = SEGMENT_SIZE - BLANK;
    t.is((await store.putMessage(deliveredOf(topic, longest))).status, "PUT_OK", topic);
    await until(() => delivered(store, topic) === 1);
    t.is([...messagesOf(store, topic)][0]?.size, longest);
    const refusal = await store.putMessage(deliveredOf(topic, longest + 1));
    t.like(refusal, { status: "MESSAGE_ILLEGAL", code: "ERR_RECORD_TOO_LARGE", appendResult: null }, topic);
  }
  t.is(store.stats().schedule.skipped, 0);
});

test("what was put with a larger maxMessageSize is delivered, and committed, with a smaller one", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const sizes = { storePathRootDir, mappedFileSizeCommitLog: 1024 * KIB };
  const body = Buffer.alloc(200 * KIB, "b");
  const first = await openStore(t, { ...sizes, messageDelayLevel: "1h" });
  await first.putMessage(delayed({ body }));
  const { prepared } = await first.prepareMessage(message({ topic: "TopicB", body }));
  await first.close();

  const store = await openStore(t, { ...sizes, ...NOW, maxMessageSize: KIB });
  t.is((await store.commitMessage(prepared as PreparedMessage)).status, "PUT_OK");
  await until(() => delivered(store) === 1 && delivered(store, "TopicB") === 1);
  for (const topic of ["TopicA", "TopicB"]) t.true(body.equals([...messagesOf(store, topic)][0]?.body as Uint8Array));
  t.like(await store.putMessage(message({ body })), { code: "ERR_BODY_TOO_LARGE" });
  t.like(await store.prepareMessage(message({ body })), { code: "ERR_BODY_TOO_LARGE" });
});

test("a delayed message that cannot be delivered any more is passed over with an event that names it", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const sizes = { storePathRootDir, mappedFileSizeCommitLog: 1024 * KIB };
  const body = Buffer.alloc(200 * KIB, "b");
  const first = await openStore(t, { ...sizes, messageDelayLevel: "1h 1h" });
  await first.putMessage(delayed({ body: Buffer.from("small"), delayTimeLevel: 2 }));
  const large = await first.putMessage(delayed({ queueId: 3, body, delayTimeLevel: 2 }));
  await first.close();

  const store = await openStore(t, { ...sizes, messageDelayLevel: "0s 0s", maxMessageSize: KIB, putRingSize: 128 * KIB });
  const heard: StoreFailureEvent[] = [];
  store.on("error", (event) => heard.push(event));
  await until(() => heard.length > 0 && delivered(store) === 1 && store.stats().schedule.delivered === 1);
  const physicalOffset = large.appendResult?.wroteOffset as number;
  t.like(heard, [{ service: "schedule", code: "ERR_MESSAGE_NOT_DELIVERED" }]);
  t.regex(
    heard[0]?.message ?? "",
    new RegExp(
      `topic="TopicA" queueId=3 delayTimeLevel=2 queueOffset=1 physicalOffset=${physicalOffset} code=ERR_RECORD_TOO_LARGE reason=.+$`,
    ),
  );
  t.like(store.stats(), { schedule: { skipped: 1 }, lastErrors: [{ service: "schedule" }] });
  // As docs/errors.md says, it is not gone.
  t.true(body.equals(store.lookMessageByOffset(physicalOffset)?.body as Uint8Array));
});
