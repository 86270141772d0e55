import { KernelMemory } from "@millrace/kernels";
import { allocateQueueTable, ControlBlock, initializeQueues, queueColumns } from "@millrace/shared-memory";
import test from "ava";
import { ReadableQueueColumn } from "#shared-memory/queue-columns.js";

test("each column is its owner's to set, and the others' to read", (t) => {
  const queues = allocateQueueTable(new KernelMemory());
  const control = ControlBlock.create({});
  const main = queueColumns(queues, ControlBlock.attach(control, "main"));
  const append = queueColumns(queues, ControlBlock.attach(control, "append"));
  const dispatch = queueColumns(queues, ControlBlock.attach(control, "dispatch"));
  const owned = (columns: object): string[] => Object.entries(columns).flatMap(([name, column]) => ("set" in column ? [name] : []));
  t.deepEqual([main, append, dispatch].map(owned), [
    [],
    ["nextQueueOffsets", "putMessages", "putBytes"],
    ["maxQueueOffsets", "minQueueOffsets"],
  ]);
  append.nextQueueOffsets.set(3, 2 ** 40);
  t.deepEqual([main.nextQueueOffsets.get(3), dispatch.nextQueueOffsets.get(3)], [2 ** 40, 2 ** 40]);
  t.is(main.nextQueueOffsets.get(2), 0);
});

test("a reader loads reputFromOffset before the column, each time", (t) => {
  const { counters } = ControlBlock.attach(ControlBlock.create({}), "main");
  const cells = new Float64Array(1);
  const loads: number[] = [];
  const word = Object.create(counters.reputFromOffset, {
    get: {
      value: () => {
        loads.push(cells[0] as number);
        cells[0] = (cells[0] as number) + 1; // what the dispatcher stored before the word is seen by the load that comes after it
        return 0;
      },
    },
  }) as typeof counters.reputFromOffset;
  const column = new ReadableQueueColumn(cells, word);
  t.deepEqual([column.get(0), column.get(0)], [1, 2]);
  t.deepEqual(loads, [0, 1]);
});

test("a queue offset that would go back breaks an invariant, and stays", (t) => {
  const queues = allocateQueueTable(new KernelMemory());
  const { nextQueueOffsets } = queueColumns(queues, ControlBlock.attach(ControlBlock.create({}), "append"));
  nextQueueOffsets.set(7, 5);
  nextQueueOffsets.set(7, 5);
  const message = "a queue offset went back: column=nextQueueOffsets slot=7 value=4 before=5";
  t.throws(() => nextQueueOffsets.set(7, 4), { code: "ERR_INVARIANT", message });
  t.throws(() => nextQueueOffsets.set(7, Number.NaN), { code: "ERR_INVARIANT" });
  t.is(nextQueueOffsets.get(7), 5);
});

test("what recovery has found is there before the first thread looks", (t) => {
  const queues = allocateQueueTable(new KernelMemory());
  initializeQueues(queues)(2, { nextQueueOffsets: 30, maxQueueOffsets: 20, minQueueOffsets: 10 });
  const columns = queueColumns(queues, ControlBlock.attach(ControlBlock.create({}), "main"));
  const { nextQueueOffsets, maxQueueOffsets, minQueueOffsets } = columns;
  t.deepEqual([nextQueueOffsets.get(2), maxQueueOffsets.get(2), minQueueOffsets.get(2)], [30, 20, 10]);
});
