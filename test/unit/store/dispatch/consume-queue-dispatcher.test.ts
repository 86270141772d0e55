import type { MessageFields } from "@millrace/format";
import { KernelMemory } from "@millrace/kernels";
import { createStorage, type Fault } from "@millrace/mapped-file";
import { allocateQueueTable, ControlBlock, QueueTableWriter, queueColumns } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { DispatchRequest } from "#format/dispatch-request.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { ConsumeQueueDispatcher } from "#store/dispatch/consume-queue-dispatcher.js";
import { encodeProperties } from "../../../support/property-string.js";
import { SAMPLE_PHYSICAL_OFFSET, SAMPLE_STORE_TIMESTAMP, sampleMessage, sealedRecord } from "../../../support/sample-message.js";
import { readUnits, storedQueueNames } from "../../../support/stored-queues.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

interface Dispatching {
  readonly root: string;
  readonly dispatcher: ConsumeQueueDispatcher;
  register(topic: string, queueId: number): number;
  /** One record, without the end of its group. */
  dispatch(changes: Partial<MessageFields>, physicalOffset: number, queueOffset: number): void;
  columns(slot: number): { min: number; max: number };
}

function newDispatching(
  t: ExecutionContext,
  { faults = [], deletedTopics = new Map() }: { faults?: Fault[]; deletedTopics?: Map<string, number> } = {},
): Dispatching {
  const root = temporaryDirectory(t);
  const queues = allocateQueueTable(new KernelMemory());
  const block = ControlBlock.create({});
  const main = ControlBlock.attach(block, "main");
  const { maxQueueOffsets, minQueueOffsets } = queueColumns(queues, main);
  const writer = new QueueTableWriter(queues, main.counters.queueSlots);
  const storage = createStorage(faults.length === 0 ? { kind: "real" } : { kind: "faulty", faults });
  const config = resolveConfig({ storePathRootDir: root, mappedFileSizeConsumeQueue: 200 });
  const dispatcher = new ConsumeQueueDispatcher(storage, config, queues, ControlBlock.attach(block, "dispatch"), deletedTopics);
  t.teardown(() => dispatcher.close());
  const request = new DispatchRequest();
  return {
    root,
    dispatcher,
    register: (topic, queueId) => writer.add(Buffer.from(topic), queueId),
    dispatch(changes, physicalOffset, queueOffset) {
      const record = sealedRecord(sampleMessage(changes), false);
      t.true(request.read(record, 0, record.length));
      request.commitLogOffset = physicalOffset;
      request.consumeQueueOffset = queueOffset;
      dispatcher.dispatch(request);
    },
    columns: (slot) => ({ min: minQueueOffsets.get(slot), max: maxQueueOffsets.get(slot) }),
  };
}

const TOPIC_A = { topic: Buffer.from("TopicA"), queueId: 0 };

test("the columns tell of units when their group has ended, and not before", (t) => {
  const { root, dispatcher, register, dispatch, columns } = newDispatching(t);
  const slot = register("TopicA", 0);
  for (let n = 100; n < 103; n++) dispatch(TOPIC_A, n * 1000, n);
  t.deepEqual(columns(slot), { min: 0, max: 0 });
  dispatcher.endGroup();
  t.deepEqual(columns(slot), { min: 100, max: 103 });
  t.is(readUnits(root, "TopicA", 0).get(102)?.physicalOffset, 102_000);
});

test("a group of which one queue cannot be written tells of none, and is whole when it can", (t) => {
  const faults: Fault[] = [{ operation: "write", path: "TopicB", after: 0, times: 1, code: "ENOSPC", partialBytes: 7 }];
  const { root, dispatcher, register, dispatch, columns } = newDispatching(t, { faults });
  const slots = ["TopicA", "TopicB", "TopicC"].map((topic) => register(topic, 0));
  const group = (): void => {
    for (const [index, topic] of ["TopicA", "TopicB", "TopicC"].entries())
      for (let n = 0; n < 30; n++) dispatch({ topic: Buffer.from(topic), queueId: 0 }, (3 * n + index) * 1000, n);
    dispatcher.endGroup();
  };
  t.throws(group, { code: "ENOSPC" });
  for (const slot of slots) t.deepEqual(columns(slot), { min: 0, max: 0 });
  group();
  for (const [index, slot] of slots.entries()) {
    t.deepEqual(columns(slot), { min: 0, max: 30 });
    const units = [...readUnits(root, `Topic${"ABC"[index]}`, 0).values()];
    t.deepEqual(
      units.map(({ physicalOffset }) => physicalOffset),
      Array.from({ length: 30 }, (_, n) => (3 * n + index) * 1000),
    );
  }
});

test("prepared and rollback get no unit, commit does, and a queue that nobody registered is none", (t) => {
  const { root, dispatcher, register, dispatch } = newDispatching(t);
  register("TopicA", 0);
  for (const [n, sysFlag] of [4, 12, 8, 0].entries()) dispatch({ ...TOPIC_A, sysFlag }, n * 1000, n < 2 ? 0 : n - 2);
  dispatch({ topic: Buffer.from("TopicX"), queueId: 0 }, 9000, 0);
  dispatch({ ...TOPIC_A, queueId: 1 }, 9500, 0);
  dispatcher.endGroup();
  t.deepEqual(storedQueueNames(root), ["TopicA-0"]);
  t.deepEqual(
    [...readUnits(root, "TopicA", 0).values()].map(({ physicalOffset }) => physicalOffset),
    [2000, 3000],
  );
  t.is(dispatcher.undispatched, 2);
});

test("a unit of the schedule topic holds the time of delivery; a level that there is not, a second later; no level, the tags", (t) => {
  const { root, dispatcher, register, dispatch } = newDispatching(t);
  register("SCHEDULE_TOPIC_XXXX", 0);
  register("TopicA", 0);
  const delayed = (level: string | undefined): Partial<MessageFields> => {
    const pairs: [string, string][] = [["TAGS", "TagA"], ...(level === undefined ? [] : [["DELAY", level] as [string, string]])];
    const properties = encodeProperties(pairs, true);
    return { topic: Buffer.from("SCHEDULE_TOPIC_XXXX"), queueId: 0, properties, propertiesLength: properties.length };
  };
  const TAG_A = 2_598_919;
  const expected: [string | undefined, number][] = [
    ["1", SAMPLE_STORE_TIMESTAMP + 1000],
    ["3", SAMPLE_STORE_TIMESTAMP + 10_000],
    ["18", SAMPLE_STORE_TIMESTAMP + 7_200_000],
    ["99", SAMPLE_STORE_TIMESTAMP + 7_200_000],
    ["0", TAG_A],
    ["-1", TAG_A],
    [undefined, TAG_A],
  ];
  for (const [n, [level]] of expected.entries()) dispatch(delayed(level), n * 1000, n);
  dispatch({ ...delayed("3"), ...TOPIC_A }, 9000, 0);
  dispatcher.endGroup();
  t.deepEqual(
    [...readUnits(root, "SCHEDULE_TOPIC_XXXX", 0).values()].map(({ tagsCode }) => tagsCode),
    expected.map(([, tagsCode]) => tagsCode),
  );
  t.is(readUnits(root, "TopicA", 0).get(0)?.tagsCode, TAG_A, "in every other topic the level means nothing");
});

test("a queue that is deleted and registered again goes on in its new slot", (t) => {
  const deletedTopics = new Map([["TopicA", SAMPLE_PHYSICAL_OFFSET]]);
  const { dispatcher, register, dispatch, columns } = newDispatching(t, { deletedTopics });
  const old = register("TopicA", 0);
  dispatch(TOPIC_A, SAMPLE_PHYSICAL_OFFSET, 0);
  dispatcher.endGroup();
  dispatcher.queues[old] = undefined;
  dispatch(TOPIC_A, SAMPLE_PHYSICAL_OFFSET + 1000, 1);
  t.is(dispatcher.undispatched, 1, "deleted, and not yet put again");
  const again = register("TopicA", 0);
  dispatch(TOPIC_A, SAMPLE_PHYSICAL_OFFSET - 1000, 0);
  dispatch(TOPIC_A, SAMPLE_PHYSICAL_OFFSET + 2000, 0);
  dispatcher.endGroup();
  t.is(dispatcher.undispatched, 1);
  t.deepEqual(columns(again), { min: 0, max: 1 });
});
