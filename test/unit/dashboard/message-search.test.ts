import test from "ava";
import { readRecord, searchMessages } from "#dashboard/search/message-search.js";
import { message, openStore } from "../../support/temporary-store.js";
import { dispatchedAll } from "../../support/until.js";

const ask = (parameters: Record<string, string>): URLSearchParams => new URLSearchParams(parameters);

test("a message is found by key, by id, by physical and by queue offset, and its bytes are those of the log", async (t) => {
  const store = await openStore(t);
  await store.putMessage(message({ body: Buffer.from("other") }));
  const put = await store.putMessage(message({ keys: ["K1", "K2"], tags: "red", body: Buffer.from("body") }));
  await dispatchedAll(store);
  const physicalOffset = put.appendResult?.wroteOffset ?? -1;
  const msgId = put.appendResult?.msgId ?? "";
  const expected = { topic: "TopicA", queueId: 0, queueOffset: 1, physicalOffset, msgId, keys: ["K1", "K2"], tags: "red" };
  for (const parameters of [
    { by: "key", topic: "TopicA", key: " K2 " },
    { by: "id", id: msgId.toLowerCase() },
    { by: "physicalOffset", offset: String(physicalOffset) },
    { by: "queueOffset", topic: "TopicA", queueId: "0", offset: "1" },
  ]) {
    const { messages = [], more, error } = searchMessages(store, ask(parameters));
    t.is(error, undefined);
    t.is(messages.length, 1, parameters.by);
    t.like(messages[0], expected, parameters.by);
    t.false(more);
  }
  const { record } = readRecord(store, ask({ offset: String(physicalOffset) }));
  t.like(record?.message, expected);
  const body = record?.fields.find(({ name }) => name === "body");
  t.is(body?.value, "body");
  t.is(Buffer.from(record?.bytes ?? "", "base64").toString("latin1", body?.start, body?.end), "body");
});

test("what is not there is an empty answer, and what makes no sense an error with its code and what helps", async (t) => {
  const store = await openStore(t);
  await store.putMessage(message());
  await dispatchedAll(store);
  t.deepEqual(searchMessages(store, ask({ by: "key", topic: "TopicA", key: "none" })), { messages: [], more: false });
  t.deepEqual(searchMessages(store, ask({ by: "physicalOffset", offset: "7" })), { messages: [], more: false });
  t.deepEqual(searchMessages(store, ask({ by: "queueOffset", topic: "TopicB", queueId: "0", offset: "0" })), {
    messages: [],
    more: false,
  });
  t.deepEqual(readRecord(store, ask({ offset: "9007199254740991" })), {});
  for (const [parameters, code] of [
    [{ by: "id", id: "xyz" }, "ERR_MESSAGE_ID_ILLEGAL"],
    [{ by: "key", topic: "../x", key: "k" }, "ERR_TOPIC_ILLEGAL"],
    [{ by: "key", topic: "TopicA" }, "ERR_QUERY_ILLEGAL"],
    [{ by: "physicalOffset", offset: "-1" }, "ERR_QUERY_ILLEGAL"],
    [{ by: "queueOffset", topic: "TopicA", queueId: "99999999999", offset: "1" }, "ERR_QUEUE_ILLEGAL"],
    [{ by: "constructor" }, "ERR_QUERY_ILLEGAL"],
  ] as const) {
    const { error } = searchMessages(store, ask(parameters));
    t.is(error?.code, code);
    t.truthy(error?.remedy);
  }
});
