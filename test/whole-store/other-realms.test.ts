import { createContext, runInContext } from "node:vm";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { message, numberOf, openStore } from "../support/temporary-store.js";

const realm = createContext({ Event, EventTarget });

/** A value whose classes are those of another realm, as under test runners that use `node:vm`. */
function foreign<T>(code: string): T {
  return runInContext(code, realm) as T;
}

/** An AbortSignal as a library brings it. */
const FOREIGN_SIGNAL = `new (class extends EventTarget {
  aborted = false;
  reason = "enough";
  abort() { this.aborted = true; this.dispatchEvent(new Event("abort")); }
})()`;

type ForeignSignal = AbortSignal & { abort(): void };

/** Sent to another thread and received. */
function received<T>(value: T): T {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(value);
  const { message: copy } = receiveMessageOnPort(port2) as { message: T };
  port1.close();
  return copy;
}

test("bytes, dates and abort signals of another realm are as good as one's own", async (t) => {
  const signal = foreign<ForeignSignal>(FOREIGN_SIGNAL);
  t.false(signal instanceof AbortSignal);
  const store = await openStore(t, { signal } as MessageStoreOptions);
  const born = foreign<Date>("new Date(1_700_000_000_000)");
  t.false(born instanceof Date);
  const short = foreign<Uint8Array>("new Uint8Array([48, 59])");
  t.false(short instanceof Uint8Array);
  await store.putMessage(message({ body: short, bornTimestamp: born, keys: foreign<string[]>('["k"]') }));
  await store.putMessage(
    message({ body: foreign("new Uint8Array(5000).fill(49)"), properties: foreign('({ own: "value" })'), bornTimestamp: 6 }),
  );
  await store.putMessage(received(message({ body: new Uint8Array([50]), bornTimestamp: new Date(5) })));

  const found: number[][] = [];
  const consumer = store.consume({ topic: "TopicA", queueId: 0, from: foreign<Date>("new Date(0)"), signal });
  for await (const batch of consumer) {
    for (const { body, bornTimestamp } of batch) found.push([numberOf(body.subarray(0, 1)), body.length, bornTimestamp]);
    if (batch.nextOffset === 3) setImmediate(() => signal.abort());
  }
  t.deepEqual(found, [
    [0, 2, 1_700_000_000_000],
    [1, 5000, 6],
    [2, 1, 5],
  ]);
  const time = foreign<Date>("new Date(0)");
  t.is(store.getOffsetInQueueByTime("TopicA", 0, time, "lower"), 0);
  t.is(store.queryMessage({ topic: "TopicA", key: "k", begin: time, end: foreign<Date>("new Date(8e12)") }).messages.length, 1);
  t.is(store.queryMessage({ topic: "TopicA", key: "k", end: time }).messages.length, 0);
});
