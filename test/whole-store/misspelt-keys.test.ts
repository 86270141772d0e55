import type { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { message, openStore } from "../support/temporary-store.js";

/** What is thrown names the key. */
async function refuses(t: ExecutionContext, name: string, code: string, call: () => unknown): Promise<void> {
  const error = await t.throwsAsync(async () => await call(), { code });
  t.true(error.message.endsWith(`: name=${name}`), error.message);
}

async function listed(store: MessageStore, request: object): Promise<void> {
  for await (const _ of store.undecidedMessages(request)) return;
}

test("a key that nothing reads is refused by its name, wherever an object is taken", async (t) => {
  const store = await openStore(t);
  const queue = { topic: "TopicA", queueId: 0 };
  const filter = { tags: ["a"], tag: "b" };
  await refuses(t, "queueoffset", "ERR_GET_ILLEGAL", () => store.getMessage({ ...queue, queueOffset: 0, queueoffset: 1 } as never));
  await refuses(t, "tag", "ERR_FILTER_ILLEGAL", () => store.getMessage({ ...queue, queueOffset: 0, filter } as never));
  await refuses(t, "keys", "ERR_QUERY_ILLEGAL", () => store.queryMessage({ topic: "TopicA", key: "a", keys: "b" } as never));
  await refuses(t, "group", "ERR_CONSUME_ILLEGAL", () => store.consume({ ...queue, from: 0, group: "a" } as never));
  await refuses(t, "tag", "ERR_FILTER_ILLEGAL", () => store.consume({ ...queue, from: 0, filter } as never));
  await refuses(t, "olderThan", "ERR_UNDECIDED_ILLEGAL", () => listed(store, { olderThan: 5 }));
});

test("the usual misspellings of a message's fields are refused, alone, in a batch and in a transaction", async (t) => {
  const store = await openStore(t);
  for (const name of ["tag", "key", "delayLevel"]) {
    const misspelt = message({ [name]: 1 });
    await refuses(t, name, "ERR_MESSAGE_ILLEGAL", () => store.putMessage(misspelt));
    await refuses(t, name, "ERR_MESSAGE_ILLEGAL", () => store.putMessages([message(), misspelt]));
    await refuses(t, name, "ERR_MESSAGE_ILLEGAL", () => store.prepareMessage(misspelt));
  }
  await refuses(t, "queue", "ERR_MESSAGE_ILLEGAL", () =>
    store.putMessage({ topic: "TopicA", body: new Uint8Array(0), queue: 1 } as never),
  );
  const { appendResult } = await store.putMessage(message({ tags: "a", keys: "b", ...{ key: "an object's own" } }));
  t.is(appendResult?.queueOffset, 0, "nothing was put before");
});

test("properties that are no plain object are refused, never dropped", async (t) => {
  const store = await openStore(t);
  for (const properties of [new Map([["a", "b"]]), [["a", "b"]], new Set(["a"]), new URLSearchParams("a=b"), null]) {
    const put = message({ properties: properties as never });
    await t.throwsAsync(store.putMessage(put), { code: "ERR_PROPERTY_ILLEGAL" });
    await t.throwsAsync(store.prepareMessage(put), { code: "ERR_PROPERTY_ILLEGAL" });
  }
  await store.putMessage(message({ properties: Object.fromEntries(new Map([["a", "b"]])) }));
  t.is(store.lookMessageByOffset(0)?.property("a"), "b");
});
