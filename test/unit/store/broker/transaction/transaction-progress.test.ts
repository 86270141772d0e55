import { MillraceError, TRANS_HALF_TOPIC, TRANS_OP_HALF_TOPIC } from "@millrace/format";
import type { PreparedMessage } from "@millrace/store";
import test from "ava";
import { Transactions } from "#store/broker/transaction/transactions.js";
import { RecordCorruptError } from "#store/read/record-corrupt-error.js";
import { FakeTransactionStore } from "../../../../support/fake-transaction-store.js";
import { message } from "../../../../support/temporary-store.js";

async function prepareAll(service: Transactions, count: number): Promise<PreparedMessage[]> {
  const all: PreparedMessage[] = [];
  for (let i = 0; i < count; i++) all.push((await service.prepareMessage(message())).prepared as PreparedMessage);
  return all;
}

async function undecided(service: Transactions): Promise<number[]> {
  const offsets: number[] = [];
  for await (const { prepared } of service.undecidedMessages()) offsets.push(prepared.queueOffset);
  return offsets;
}

test("a commit whose op record could not be put is no second message when it is tried again", async (t) => {
  const store = new FakeTransactionStore();
  const service = new Transactions(store, store);
  const [prepared] = (await prepareAll(service, 1)) as [PreparedMessage];
  store.refusal = { topic: TRANS_OP_HALF_TOPIC, error: new MillraceError("ERR_RING_FULL", "full") };
  await t.throwsAsync(service.commitMessage(prepared), { code: "ERR_TRANSACTION_UNRECORDED" });
  await t.throwsAsync(service.rollbackMessage(prepared), { code: "ERR_TRANSACTION_DECIDED" });
  t.deepEqual(await undecided(service), []);
  store.refusal = undefined;
  t.is((await service.commitMessage(prepared)).status, "PUT_OK");
  t.is(store.consumeQueue("TopicA", 0)?.maxOffset, 1);
  t.is(store.consumeQueue(TRANS_OP_HALF_TOPIC, 0)?.maxOffset, 1);
  await t.throwsAsync(service.commitMessage(prepared), { code: "ERR_TRANSACTION_DECIDED" });
});

test("a message that could not be committed or rolled back is undecided", async (t) => {
  const store = new FakeTransactionStore();
  const service = new Transactions(store, store);
  const [prepared] = (await prepareAll(service, 1)) as [PreparedMessage];
  store.refusal = { topic: "TopicA", error: new MillraceError("ERR_RING_FULL", "full") };
  await t.throwsAsync(service.commitMessage(prepared), { code: "ERR_RING_FULL" });
  store.refusal = { topic: TRANS_OP_HALF_TOPIC, error: new MillraceError("ERR_RING_FULL", "full") };
  await t.throwsAsync(service.rollbackMessage(prepared), { code: "ERR_RING_FULL" });
  t.deepEqual(await undecided(service), [0]);
  store.refusal = undefined;
  t.is((await service.commitMessage(prepared)).status, "PUT_OK");
});

test("progress is noted when nothing is decided behind an undecided one, and the op records are durable", async (t) => {
  const store = new FakeTransactionStore();
  const service = new Transactions(store, store);
  const [first, second, third] = (await prepareAll(service, 3)) as [PreparedMessage, PreparedMessage, PreparedMessage];
  await service.rollbackMessage(second);
  store.flushedOffset = store.maxPhysicalOffset;
  await service.close();
  t.deepEqual([...store.noted], []);
  await service.rollbackMessage(first);
  await service.close();
  t.deepEqual([...store.noted], [], "a power failure could lose the op record and keep the progress");
  store.flushedOffset = store.maxPhysicalOffset;
  await service.close();
  t.deepEqual(
    [...store.noted],
    [
      [TRANS_HALF_TOPIC, 2],
      [TRANS_OP_HALF_TOPIC, 2],
    ],
  );
  const next = new Transactions(store, store);
  t.deepEqual(await undecided(next), [2]);
  await next.commitMessage(third);
  await t.throwsAsync(next.commitMessage(first), { code: "ERR_TRANSACTION_DECIDED" });
});

test("a store that is closed without a transaction reads no op records", async (t) => {
  const store = new FakeTransactionStore();
  await prepareAll(new Transactions(store, store), 1);
  const service = new Transactions(store, store);
  store.message = () => t.fail() as never;
  await service.close();
  t.pass();
});

test("progress beyond what a shortened log holds is not believed", async (t) => {
  const store = new FakeTransactionStore();
  store.commit("", TRANS_HALF_TOPIC, 0, 50);
  store.commit("", TRANS_OP_HALF_TOPIC, 0, 50);
  const service = new Transactions(store, store);
  const [prepared] = (await prepareAll(service, 1)) as [PreparedMessage];
  t.deepEqual(await undecided(service), [0]);
  t.is((await service.commitMessage(prepared)).status, "PUT_OK");
});

test("half messages that retention removed are decided", async (t) => {
  const store = new FakeTransactionStore();
  const service = new Transactions(store, store);
  const all = await prepareAll(service, 5);
  await service.rollbackMessage(all[4] as PreparedMessage);
  const queue = store.consumeQueue(TRANS_HALF_TOPIC, 0);
  if (queue !== undefined) queue.minOffset = 3;
  t.deepEqual(await undecided(service), [3]);
  await t.throwsAsync(service.commitMessage(all[0] as PreparedMessage), { code: "ERR_TRANSACTION_DECIDED" });
});

for (const [what, topic, left] of [
  ["a half message", TRANS_HALF_TOPIC, []],
  ["an op record", TRANS_OP_HALF_TOPIC, [0]],
] as const) {
  test(`a unit of ${what} that the log has no record for holds up no other transaction, nor the closing`, async (t) => {
    const store = new FakeTransactionStore();
    const before = new Transactions(store, store);
    const [first, second] = (await prepareAll(before, 2)) as [PreparedMessage, PreparedMessage];
    if (topic === TRANS_OP_HALF_TOPIC) await before.rollbackMessage(first);
    const lost = Reflect.construct(RecordCorruptError, [{ physicalOffset: 0, size: 100, reason: "BAD_FIELD" }, 0]);
    store.consumeQueue(topic, 0)?.bad.set(0, lost);
    const service = new Transactions(store, store);
    t.deepEqual(await undecided(service), [...left, 1]);
    t.is((await service.commitMessage(second)).status, "PUT_OK");
    t.deepEqual(await undecided(service), left);
    await service.close();
  });
}

test("while a unit of an op record is built again nothing is decided twice, and closing does not wait for it", async (t) => {
  const store = new FakeTransactionStore();
  const before = new Transactions(store, store);
  const [prepared] = (await prepareAll(before, 1)) as [PreparedMessage];
  await before.commitMessage(prepared);
  const ops = store.consumeQueue(TRANS_OP_HALF_TOPIC, 0);
  ops?.bad.set(0, new MillraceError("ERR_CONSUME_QUEUE_CORRUPT", "is built again"));
  const service = new Transactions(store, store);
  await t.throwsAsync(service.commitMessage(prepared), { code: "ERR_CONSUME_QUEUE_CORRUPT" });
  await service.close();
  t.deepEqual([...store.noted], []);
  ops?.bad.clear();
  await t.throwsAsync(service.commitMessage(prepared), { code: "ERR_TRANSACTION_DECIDED" });
});
