import { SYS_FLAG_COMMIT, SYS_FLAG_INNER_BATCH, SYS_FLAG_PREPARED } from "@millrace/format";
import type { Message, MessageStore } from "@millrace/store";
import test from "ava";
import { readLog } from "../../../support/stored-log.js";
import { message, openStore } from "../../../support/temporary-store.js";

const BODY_LIMIT = 1000;
const LONG = "x".repeat(32_768);

/** What a bad put comes to: the code of a rejection, or status and code of a refusal. */
async function refusalOf(put: Promise<unknown>): Promise<string> {
  try {
    const { status, code, appendResult } = (await put) as { status: string; code?: string; appendResult: unknown };
    return appendResult === null ? `${status} ${code}` : status;
  } catch (error) {
    const { code, outcome } = error as { code?: string; outcome?: string };
    return outcome === "none" ? String(code) : `unexpected ${String(error)}`;
  }
}

const bad: [string, object, string][] = [
  ["an empty topic", { topic: "" }, "ERR_TOPIC_ILLEGAL"],
  ["a topic of 128 characters", { topic: "t".repeat(128) }, "ERR_TOPIC_ILLEGAL"],
  ["a retry topic of 256 characters", { topic: `%RETRY%${"t".repeat(249)}` }, "ERR_TOPIC_ILLEGAL"],
  ...["/", "..", ".", "a/b", "../a", "a\\b", "a\0", "a b", "ü", "a\n", "a*", "😀"].map((topic): [string, object, string] => [
    `the topic ${JSON.stringify(topic)}`,
    { topic },
    "ERR_TOPIC_ILLEGAL",
  ]),
  ["a topic that is no string", { topic: 5 }, "ERR_TOPIC_ILLEGAL"],
  ["no topic", { topic: undefined }, "ERR_TOPIC_ILLEGAL"],
  ...[-1, 0.5, 2 ** 31, Number.NaN, "0", undefined, null].map((queueId): [string, object, string] => [
    `the queue id ${JSON.stringify(queueId)} ${typeof queueId}`,
    { queueId },
    "ERR_QUEUE_ILLEGAL",
  ]),
  ...["text", [1, 2], new ArrayBuffer(4), new Uint16Array(4), undefined, null, { length: 3 }].map(
    (body, i): [string, object, string] => [`body number ${i} that is not bytes`, { body }, "ERR_MESSAGE_ILLEGAL"],
  ),
  ["a body that is too large", { body: new Uint8Array(BODY_LIMIT + 1) }, "MESSAGE_ILLEGAL ERR_BODY_TOO_LARGE"],
  ["0x01 in a value", { properties: { p: "a\u0001b" } }, "ERR_PROPERTY_ILLEGAL"],
  ["0x02 in a value", { properties: { p: "a\u0002b" } }, "ERR_PROPERTY_ILLEGAL"],
  ["0x01 in a name", { properties: { "a\u0001": "b" } }, "ERR_PROPERTY_ILLEGAL"],
  ["0x02 in a name", { properties: { "a\u0002": "b" } }, "ERR_PROPERTY_ILLEGAL"],
  ["0x02 in a long value", { properties: { p: `${"x".repeat(200)}\u0002` } }, "ERR_PROPERTY_ILLEGAL"],
  ["0x01 in tags", { tags: "\u0001" }, "ERR_PROPERTY_ILLEGAL"],
  ["0x02 in keys", { keys: "a\u0002" }, "ERR_PROPERTY_ILLEGAL"],
  ["an empty property name", { properties: { "": "b" } }, "ERR_PROPERTY_ILLEGAL"],
  ["an empty property value", { properties: { p: "" } }, "ERR_PROPERTY_ILLEGAL"],
  ["a property that is no string", { properties: { p: 5 } }, "ERR_PROPERTY_ILLEGAL"],
  ["half a surrogate pair", { properties: { p: "\ud800" } }, "ERR_PROPERTY_ILLEGAL"],
  ["properties that are no object", { properties: "p" }, "ERR_PROPERTY_ILLEGAL"],
  ["a property that a field sets", { properties: { TAGS: "a" } }, "ERR_PROPERTY_ILLEGAL"],
  ["the CRC's own property", { properties: { "__CRC32#": "0" } }, "ERR_PROPERTY_ILLEGAL"],
  ["a key with a space", { keys: ["a b"] }, "ERR_PROPERTY_ILLEGAL"],
  ["no key at all", { keys: [] }, "ERR_PROPERTY_ILLEGAL"],
  ["tags that are no string", { tags: 1 }, "ERR_PROPERTY_ILLEGAL"],
  ["properties over 32,767 bytes", { properties: { p: LONG } }, "PROPERTIES_SIZE_EXCEEDED ERR_PROPERTIES_TOO_LARGE"],
  ["tags over 32,767 bytes", { tags: LONG }, "PROPERTIES_SIZE_EXCEEDED ERR_PROPERTIES_TOO_LARGE"],
  [
    "properties that only the CRC makes too long",
    { properties: { p: LONG.slice(0, 32_760) } },
    "PROPERTIES_SIZE_EXCEEDED ERR_PROPERTIES_TOO_LARGE",
  ],
  ["an inner batch", { sysFlag: SYS_FLAG_INNER_BATCH }, "MESSAGE_ILLEGAL ERR_INNER_BATCH"],
  ["a flag of more than 32 bits", { flag: 2 ** 32 }, "ERR_MESSAGE_ILLEGAL"],
  ["a flag with a fraction", { flag: 0.5 }, "ERR_MESSAGE_ILLEGAL"],
  ["a sysFlag that is no number", { sysFlag: "1" }, "ERR_MESSAGE_ILLEGAL"],
  ["reconsumeTimes beyond 32 bits", { reconsumeTimes: -(2 ** 31) - 1 }, "ERR_MESSAGE_ILLEGAL"],
  ["a bornTimestamp beyond 2^53", { bornTimestamp: 2 ** 53 }, "ERR_MESSAGE_ILLEGAL"],
  ["a bornTimestamp that is no valid date", { bornTimestamp: new Date(Number.NaN) }, "ERR_MESSAGE_ILLEGAL"],
  ["a bornTimestamp that is text", { bornTimestamp: "2026-11-21" }, "ERR_MESSAGE_ILLEGAL"],
  ["a prepared offset with a fraction", { preparedTransactionOffset: 1.5 }, "ERR_MESSAGE_ILLEGAL"],
  ["a host by name", { bornHost: { address: "localhost", port: 1 } }, "ERR_HOST_ILLEGAL"],
  ["a host without a port", { storeHost: { address: "1.2.3.4" } }, "ERR_HOST_ILLEGAL"],
  ["a host that is text", { bornHost: "1.2.3.4:5" }, "ERR_HOST_ILLEGAL"],
  ["a host that is null", { storeHost: null }, "ERR_HOST_ILLEGAL"],
  ["a negative delay level", { delayTimeLevel: -1 }, "ERR_MESSAGE_ILLEGAL"],
  ["a delay level with a fraction", { delayTimeLevel: 1.5 }, "ERR_MESSAGE_ILLEGAL"],
  ["waitStoreMsgOK that is no boolean", { waitStoreMsgOK: "true" }, "ERR_PROPERTY_ILLEGAL"],
];

const badBatches: [string, object[] | unknown, string][] = [
  ["an empty batch", [], "ERR_BATCH_ILLEGAL"],
  ["a batch that is no array", { length: 1 }, "ERR_BATCH_ILLEGAL"],
  ["a batch of two topics", [{}, { topic: "TopicB" }], "ERR_BATCH_ILLEGAL"],
  ["a batch of two queues", [{}, { queueId: 1 }], "ERR_BATCH_ILLEGAL"],
  ["a batch with and without waiting", [{}, { waitStoreMsgOK: false }], "ERR_BATCH_ILLEGAL"],
  ["a delayed batch", [{}, { delayTimeLevel: 1 }], "MESSAGE_ILLEGAL ERR_BATCH_ILLEGAL"],
  ["a prepared batch", [{ sysFlag: SYS_FLAG_PREPARED }], "MESSAGE_ILLEGAL ERR_BATCH_ILLEGAL"],
  ["a committing batch", [{}, { sysFlag: SYS_FLAG_COMMIT }], "MESSAGE_ILLEGAL ERR_BATCH_ILLEGAL"],
  ["a batch with one bad message", [{}, { properties: { p: "\u0001" } }], "ERR_PROPERTY_ILLEGAL"],
  ["a batch with one body too large", [{}, { body: new Uint8Array(BODY_LIMIT + 1) }], "MESSAGE_ILLEGAL ERR_BODY_TOO_LARGE"],
  [
    "a batch longer than a record may be",
    Array(80).fill({ body: new Uint8Array(BODY_LIMIT) }),
    "MESSAGE_ILLEGAL ERR_RECORD_TOO_LARGE",
  ],
];

/** The good put after a bad one: it gets the next queue offset, and the place where the log ended. */
async function putGood(store: MessageStore): Promise<number> {
  const { appendResult } = await store.putMessage(message());
  return (appendResult?.queueOffset ?? -1) * 1e6 + (appendResult?.wroteOffset ?? -1);
}

test.serial("every bad message is refused with its own code, and leaves nothing in the log", async (t) => {
  const store = await openStore(t, { maxMessageSize: BODY_LIMIT, mappedFileSizeCommitLog: 512 * 1024 });
  let good = 0;
  for (const [what, changes, expected] of bad) {
    const before = store.maxPhysicalOffset;
    t.is(await refusalOf(store.putMessage(message(changes as Partial<Message>))), expected, what);
    t.is(store.maxPhysicalOffset, before, what);
    t.is(await putGood(store), good++ * 1e6 + before, what);
  }
  for (const noMessage of [null, undefined, "message", 5]) {
    t.is(await refusalOf(store.putMessage(noMessage as unknown as Message)), "ERR_MESSAGE_ILLEGAL", String(noMessage));
  }
  const counted = bad.length + 4;
  t.is(store.stats().put.failed, counted);
  t.is(readLog(store.config.storePathRootDir).messages.length, good);
});

test.serial("a refused message is answered with the way out", async (t) => {
  const store = await openStore(t, { maxMessageSize: BODY_LIMIT });
  const answers: [object, RegExp][] = [
    [{ body: "text" }, /^a body is a Uint8Array; Buffer\.from\(text\) makes one of a string: body="text"$/],
    [{ body: [1, 2] }, /^a body is a Uint8Array: body=\[ 1, 2 \]$/],
    [{ topic: "a/b" }, /^a topic is 1 to 127 of % \| a-z A-Z 0-9 _ - .* topic="a\/b"$/],
    [{ bornHost: { address: "localhost", port: 1 } }, /^a host is \{ address, port \}.* host=\{ address: 'localhost', port: 1 \}$/],
    [{ storeHost: null }, /^a host is \{ address, port \}.* host=null$/],
    [{ keys: [5n] }, /^a key is a non-empty string without spaces: key=5$/],
    [{ flag: {} }, /^32 bits are needed: flag=\{\}$/],
  ];
  for (const [changes, message_] of answers) {
    await t.throwsAsync(store.putMessage(message(changes as Partial<Message>)), { message: message_ });
  }
});

test.serial("every bad batch is refused as a whole, and leaves nothing in the log", async (t) => {
  const store = await openStore(t, { maxMessageSize: BODY_LIMIT, mappedFileSizeCommitLog: 512 * 1024 });
  let good = 0;
  for (const [what, batch, expected] of badBatches) {
    const before = store.maxPhysicalOffset;
    const messages = Array.isArray(batch) ? batch.map((changes) => message(changes)) : (batch as Message[]);
    t.is(await refusalOf(store.putMessages(messages)), expected, what);
    t.is(await putGood(store), good++ * 1e6 + before, what);
  }
  t.is(readLog(store.config.storePathRootDir).messages.length, good);
});

test.serial("what is just allowed is put", async (t) => {
  const store = await openStore(t, { maxMessageSize: BODY_LIMIT, mappedFileSizeCommitLog: 512 * 1024 });
  const allowed: object[] = [
    { topic: "t".repeat(127) },
    { topic: `%RETRY%${"t".repeat(248)}` },
    { topic: `%DLQ%${"t".repeat(250)}` },
    { topic: "%|aZ09_-" },
    { queueId: 2 ** 31 - 1 },
    { body: new Uint8Array(BODY_LIMIT) },
    { flag: 2 ** 32 - 1 },
    { flag: -(2 ** 31) },
    { bornTimestamp: -1 },
    { properties: {} },
    { properties: { p: LONG.slice(0, 32_744) } },
    { keys: ["a", "b"], tags: "a b" },
    { delayTimeLevel: 0 },
  ];
  for (const changes of allowed)
    t.is(await refusalOf(store.putMessage(message(changes))), "PUT_OK", JSON.stringify(changes).slice(0, 60));
  t.is(readLog(store.config.storePathRootDir).messages.length, allowed.length);
});
