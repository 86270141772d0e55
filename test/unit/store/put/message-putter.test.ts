import { KernelMemory } from "@millrace/kernels";
import { AppendStatus, allocatePutRing, ControlBlock, PutRingConsumer, PutRingTotal } from "@millrace/shared-memory";
import type { MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { allocateQueueTable } from "#shared-memory/queue-table-descriptor.js";
import { QueueTableWriter } from "#shared-memory/queue-table-writer.js";
import { MessagePutter } from "#store/put/message-putter.js";
import { TopicTable } from "#store/put/topic-table.js";
import { storeConfig } from "../../../support/clean-config.js";
import { message } from "../../../support/temporary-store.js";
import { until } from "../../../support/until.js";

const QUICK = { flushDiskType: "SYNC_FLUSH", syncFlushTimeout: 100 } as const;

/** A putter whose appender and flusher are the test. */
class Putting {
  readonly putter: MessagePutter;
  readonly counters: ControlBlock<"main">["counters"];
  readonly #ring: PutRingConsumer;
  readonly #flush: ControlBlock<"flush">["counters"];
  readonly #allocate: ControlBlock<"allocate">["counters"];
  #offset = 0;

  constructor(t: ExecutionContext, options: MessageStoreOptions) {
    const buffer = ControlBlock.create({});
    const control = ControlBlock.attach(buffer, "main");
    const config = storeConfig(options);
    const regions = new KernelMemory();
    const ring = allocatePutRing(regions, config.putRingSize, 64);
    const topics = new TopicTable(new QueueTableWriter(allocateQueueTable(regions), control.counters.queueSlots));
    this.putter = new MessagePutter(config, control, { kernelMemory: regions.shared, ring }, topics);
    this.counters = control.counters;
    this.#ring = new PutRingConsumer(ring);
    this.#flush = ControlBlock.attach(buffer, "flush").counters;
    this.#allocate = ControlBlock.attach(buffer, "allocate").counters;
    t.teardown(() => this.putter.close());
  }

  /** Answers what has been put, frame by frame, and shows the answers. */
  async answer(...statuses: ("ok" | "refused")[]): Promise<void> {
    await Promise.resolve(); // the burst ends, and shows its frames
    for (const [index, status] of statuses.entries()) {
      const slot = this.#ring.slotOf(this.#ring.head + index);
      if (status === "refused") {
        this.#ring.answer(slot, AppendStatus.createMappedFileFailed, 0, 0, 0);
        continue;
      }
      this.#ring.answer(slot, AppendStatus.ok, this.#offset, 0, 1);
      this.#offset += this.#ring.recordLength(slot);
    }
    this.#ring.release(this.#ring.head + statuses.length);
  }

  /** The allocator has made more bytes ready. */
  makeReady(): void {
    this.#allocate.allocatedOffset.publish(this.#allocate.allocatedOffset.value + 1);
  }

  total(name: keyof typeof PutRingTotal): number | undefined {
    return this.#ring.buffers.totals[PutRingTotal[name]];
  }

  /** Everything appended is durable. */
  force(): void {
    this.#flush.flushedOffset.publish(this.#offset);
  }
}

test("a put that was never written is refused, also when those before it time out", async (t) => {
  const putting = new Putting(t, QUICK);
  const puts = [0, 1, 2].map(() => putting.putter.putMessage(message()));
  await putting.answer("ok", "refused", "ok");
  const [slow, refused, behind] = await Promise.all(puts);
  t.is(slow?.status, "FLUSH_DISK_TIMEOUT");
  t.like(refused, { status: "CREATE_MAPPED_FILE_FAILED", code: "ERR_ALLOCATE_FAILED", appendResult: null });
  t.like(behind, { status: "FLUSH_DISK_TIMEOUT", appendResult: { wroteOffset: slow?.appendResult?.wroteBytes } });
  t.is(putting.total("failed"), 1);
});

test("a put that does not wait for the force does not time out behind one that does", async (t) => {
  const putting = new Putting(t, QUICK);
  const puts = [true, false, true].map((waitStoreMsgOK) => putting.putter.putMessage(message({ waitStoreMsgOK })));
  await putting.answer("ok", "ok", "ok");
  const answers = await Promise.all(puts);
  t.deepEqual(
    answers.map(({ status }) => status),
    ["FLUSH_DISK_TIMEOUT", "PUT_OK", "FLUSH_DISK_TIMEOUT"],
  );
});

test("a put that the appender has not answered waits for its answer, however long: it is written, or it is not", async (t) => {
  const putting = new Putting(t, QUICK);
  const put = putting.putter.putMessage(message());
  const unanswered = Symbol("unanswered");
  t.is(await Promise.race([put, new Promise((resolve) => setTimeout(resolve, 400, unanswered))]), unanswered);
  await putting.answer("refused");
  t.is((await put).status, "CREATE_MAPPED_FILE_FAILED");
});

test("what became durable while main was busy is not too late", async (t) => {
  const putting = new Putting(t, QUICK);
  const put = putting.putter.putMessage(message());
  await putting.answer("ok");
  const end = performance.now() + 200;
  while (performance.now() < end);
  putting.force();
  t.is((await put).status, "PUT_OK");
});

test("a put that waits for the ring and finds it free at last is not too late, though main was busy at its deadline", async (t) => {
  const putting = new Putting(t, { putMessageTimeout: 100, maxMessageSize: 1024 });
  const first = Array.from({ length: 64 }, () => putting.putter.putMessage(message()));
  const waiting = putting.putter.putMessage(message());
  t.is(putting.putter.waiting.size, 1);
  await putting.answer(...first.map(() => "ok" as const));
  const end = performance.now() + 200;
  while (performance.now() < end);
  await Promise.all(first);
  await until(() => putting.putter.waiting.size === 0);
  await putting.answer("ok");
  t.is((await waiting).status, "PUT_OK");
});

test("drained resolves with the expiry of the puts that it waited for", async (t) => {
  const putting = new Putting(t, { putMessageTimeout: 100, maxMessageSize: 1024 });
  const { putter } = putting;
  const inRing = Array.from({ length: 64 }, () => putter.putMessage(message()));
  const waiting = putter.putMessage(message());
  const isDrained = putter.drained(inRing.length).then(() => true);
  await t.throwsAsync(waiting, { code: "ERR_PUT_TIMEOUT" });
  t.true(await Promise.race([isDrained, new Promise((resolve) => setImmediate(resolve, false))]));
  await putting.answer(...inRing.map(() => "ok" as const));
  await Promise.all(inRing);
});

test("a disk over its ratio refuses what is new, also behind a delivery in the same turn", async (t) => {
  const putting = new Putting(t, {});
  const { putter } = putting;
  putting.counters.diskFull.set(1);
  const delivered = putter.deliverMessage(message());
  const refused = [putter.putMessage(message()), putter.putOwnMessage(message()), putter.putMessages([message()])];
  await putting.answer("ok");
  t.is((await delivered).status, "PUT_OK");
  for (const result of await Promise.all(refused)) t.like(result, { status: "SERVICE_NOT_AVAILABLE", code: "ERR_DISK_FULL" });
  t.is(putting.total("failed"), 3);
});

test("while the log has no room, puts of ever new queues take no slots; when it has, or now and then to try, they do", async (t) => {
  const putting = new Putting(t, QUICK);
  const { putter, counters } = putting;
  const known = putter.putMessage(message());
  await putting.answer("refused");
  t.is((await known).status, "CREATE_MAPPED_FILE_FAILED");
  for (let queueId = 1; queueId < 100; queueId++) {
    const put = putter.putMessage(message({ queueId }));
    t.is(counters.queueSlots.value, 1);
    t.like(await put, { status: "CREATE_MAPPED_FILE_FAILED", code: "ERR_ALLOCATE_FAILED" });
    t.is((await putter.putMessages([message({ queueId })])).status, "CREATE_MAPPED_FILE_FAILED");
  }
  const again = putter.putMessage(message());
  await putting.answer("refused");
  t.is((await again).status, "CREATE_MAPPED_FILE_FAILED");
  await until(() => {
    void putter.putMessage(message({ queueId: 7 }));
    return counters.queueSlots.value === 2;
  });
  t.is((await putter.putMessage(message({ queueId: 8 }))).status, "CREATE_MAPPED_FILE_FAILED");
  putting.makeReady();
  void putter.putMessage(message({ queueId: 9 }));
  t.is(counters.queueSlots.value, 3);
  await putting.answer("refused", "ok");
  void putter.putMessage(message({ queueId: 10 }));
  t.is(counters.queueSlots.value, 4);
});
