import type { Fault } from "@millrace/mapped-file";
import type { MessageStore } from "@millrace/store";
import { MessageProducer } from "@millrace/store/producer";
import test, { type ExecutionContext } from "ava";
import { KIB, numbered, openStore, outcomes } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const FENCED = { code: "ERR_STORE_FENCED" };
const FAULTED = { code: "ERR_STORE_FAULTED" };
/** The kernel reports it once: the next force would "succeed". */
const FAILING_FORCE: Fault = { operation: "force", path: "commitlog", after: 0, times: 1, code: "EIO" };
/** The end of the append thread. */
const FAILING_WRITE: Fault = { operation: "write", path: "commitlog", after: 20, code: "EIO" };

/** Of which the flusher does not force by itself. */
async function unforcedStore(t: ExecutionContext): Promise<MessageStore> {
  return await openStore(t, { flushIntervalCommitLog: 60_000 }, [FAILING_FORCE]);
}

for (const flushDiskType of ["ASYNC_FLUSH", "SYNC_FLUSH"] as const) {
  test.serial(
    `a store that was fenced before it was opened makes no handles, and its log does not grow: ${flushDiskType}`,
    async (t) => {
      const first = await unforcedStore(t);
      await first.putMessage(numbered(0));
      await t.throwsAsync(first.flush(), FENCED);
      await t.throwsAsync(first.close(), FENCED);

      const { storePathRootDir } = first.config;
      const store = await openStore(t, { storePathRootDir, flushDiskType });
      const end = store.maxPhysicalOffset;
      const made = (): Promise<unknown> => MessageProducer.attach(store.producerHandle()).putMessage(numbered(1));
      await t.throwsAsync(async () => await made(), { ...FENCED, message: /millrace unfence/ });
      t.is(store.maxPhysicalOffset, end);
      await t.notThrowsAsync(store.close());
    },
  );
}

test.serial("a store that is fenced while it runs makes no handles, and those that it has made put nothing", async (t) => {
  const store = await unforcedStore(t);
  const putting = MessageProducer.attach(store.producerHandle());
  const idle = MessageProducer.attach(store.producerHandle());
  const later = store.producerHandle();
  t.is((await putting.putMessage(numbered(0))).status, "PUT_OK");
  await t.throwsAsync(store.flush(), FENCED);
  const end = store.maxPhysicalOffset;
  const attached = MessageProducer.attach(later);
  const producers = [putting, idle, attached];
  const settled = await outcomes(producers.map((producer) => producer.putMessage(numbered(1))));
  t.deepEqual(settled, Array(3).fill({ ...FENCED, outcome: "none" }), "the state says it before the message of it comes");
  await t.throwsAsync(putting.putMessages([numbered(2), numbered(3)]), FENCED);
  t.throws(() => store.producerHandle(), { ...FENCED, message: /EIO/ });
  for (const producer of producers) {
    const hasHeardWhy = (): Promise<boolean> =>
      producer.putMessage(numbered(4)).then(
        () => false,
        ({ message }: Error) => /EIO/.test(message),
      );
    await until(hasHeardWhy);
    await producer.close();
  }
  t.is(store.maxPhysicalOffset, end);
  t.deepEqual(
    store.stats().put.topics.map(({ messages }) => messages),
    [1],
  );
});

test.serial("a put that waits for its slot or for room is rejected when the store is fenced", async (t) => {
  const store = await openStore(
    t,
    { flushIntervalCommitLog: 60_000, putRingSize: 128 * KIB, maxMessageSize: 10_000, mappedFileSizeCommitLog: 1024 * KIB },
    [FAILING_FORCE],
  );
  const producer = MessageProducer.attach(store.producerHandle());
  await producer.putMessage(numbered(0));
  const flushed = store.flush();
  const puts = Array.from({ length: 100 }, (_, n) => producer.putMessage(numbered(n, 8000, { queueId: n % 50 })));
  const settled = await outcomes(puts);
  await t.throwsAsync(flushed, FENCED);
  t.true(settled.some((outcome) => "code" in outcome && outcome.code === FENCED.code));
  t.true(settled.every((outcome) => ("code" in outcome ? outcome.code === FENCED.code : outcome.status === "PUT_OK")));
  await producer.close();
});

test.serial(
  "a store whose append thread is dead makes no handles, and a put by one that it has made settles at once",
  async (t) => {
    const store = await openStore(t, { writeWithoutMmap: true }, [FAILING_WRITE]);
    const later = store.producerHandle();
    for (let n = 0; store.stats().state === "running"; n++) await outcomes([store.putMessage(numbered(n))]);
    t.throws(() => store.producerHandle(), { ...FAULTED, message: /service=append/ });
    const producer = MessageProducer.attach(later);
    await t.throwsAsync(producer.putMessage(numbered(0)), FAULTED);
    await producer.close();
  },
);
