import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH } from "@millrace/format";
import { createStorage, type Fault, type Storage, type StorageFile } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { CONSUME_QUEUE_FILL_SIZE } from "#format/consume-queue-descriptor.js";
import { ConsumeQueue } from "#store/dispatch/consume-queue.js";
import { ConsumeQueueFiles } from "#store/dispatch/consume-queue-files.js";
import { unitAt } from "../../../support/stored-queues.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const UNITS_PER_FILE = 10;
const FILE_LENGTH = UNITS_PER_FILE * CONSUME_QUEUE_UNIT_LENGTH;
const SIZE = 100;
const FILL = { physicalOffset: 0, size: CONSUME_QUEUE_FILL_SIZE, tagsCode: 0 };

interface Setting {
  readonly directory?: string;
  readonly min?: number;
  readonly max?: number;
  readonly fromOffset?: number;
  readonly faults?: readonly Fault[];
}

function openQueue(t: ExecutionContext, setting: Setting = {}): ConsumeQueue {
  const { min = 0, max = 0, fromOffset = 0, faults = [] } = setting;
  const files = new ConsumeQueueFiles(
    createStorage(faults.length === 0 ? { kind: "real" } : { kind: "faulty", faults }),
    FILE_LENGTH,
  );
  const directory = setting.directory ?? join(temporaryDirectory(t), "consumequeue", "TopicA", "0");
  const queue = new ConsumeQueue(files, { slot: 0, directory, isSchedule: false, fromOffset }, min, max);
  t.teardown(() => files.close());
  return queue;
}

/** The record of queue offset `n`, which begins at `n · SIZE`. */
function put(queue: ConsumeQueue, n: number): void {
  queue.put(n * SIZE, SIZE, -n, n);
}

function putAll(queue: ConsumeQueue, from: number, end: number): void {
  for (let n = from; n < end; n++) put(queue, n);
}

function unitOf(n: number): { physicalOffset: number; size: number; tagsCode: number } {
  return { physicalOffset: n * SIZE, size: SIZE, tagsCode: 0 - n };
}

function names(queue: ConsumeQueue): string[] {
  return existsSync(queue.directory) ? readdirSync(queue.directory).sort() : [];
}

/** What the files hold from their first byte on, up to the last unit that is not empty. */
function units(queue: ConsumeQueue): ReturnType<typeof unitAt>[] {
  const bytes = Buffer.concat(names(queue).map((name) => readFileSync(join(queue.directory, name))));
  const all = Array.from({ length: bytes.length / CONSUME_QUEUE_UNIT_LENGTH }, (_, n) =>
    unitAt(bytes, n * CONSUME_QUEUE_UNIT_LENGTH),
  );
  return all.slice(0, all.findLastIndex(({ size }) => size !== 0) + 1);
}

function range(from: number, end: number): ReturnType<typeof unitOf>[] {
  return Array.from({ length: end - from }, (_, i) => unitOf(from + i));
}

function fault(operation: Fault["operation"], after: number, more: Partial<Fault> = {}): Fault {
  return { operation, path: "TopicA", after, times: 1, code: "ENOSPC", ...more };
}

test("a unit is offset, size and tagsCode, big-endian and sign-extended", (t) => {
  const queue = openQueue(t);
  queue.put(0x12_3456_789a, 0x7fff_fffe, -2, 0);
  queue.put(2 ** 52 + 1, 0x100, 0x7fffffff, 1);
  queue.put(2 ** 53 - 0x1000, 0x200, 1_795_199_719_424, 2); // a time of delivery
  queue.write();
  const bytes = readFileSync(queue.path(0));
  t.is(bytes.length, FILE_LENGTH, "a file has its full length at once");
  t.is(bytes.subarray(0, 20).toString("hex"), "000000123456789a7ffffffefffffffffffffffe");
  t.is(bytes.subarray(20, 40).toString("hex"), "001000000000000100000100000000007fffffff");
  t.is(bytes.subarray(40, 60).toString("hex"), `001ffffffffff00000000200${1_795_199_719_424n.toString(16).padStart(16, "0")}`);
  t.true(bytes.subarray(60).equals(Buffer.alloc(FILE_LENGTH - 60)));
});

test("nothing is in a file before it is written, and then all of it, in files of their own", (t) => {
  const queue = openQueue(t);
  putAll(queue, 0, 35);
  t.true(queue.isPending);
  t.deepEqual({ max: queue.maxOffset, written: queue.writtenOffset, names: names(queue) }, { max: 35, written: 0, names: [] });
  queue.write();
  t.false(queue.isPending);
  t.deepEqual(
    { max: queue.maxOffset, written: queue.writtenOffset, dirty: queue.dirtyBytes },
    { max: 35, written: 35, dirty: 700 },
  );
  t.deepEqual(names(queue), ["00000000000000000000", "00000000000000000200", "00000000000000000400", "00000000000000000600"]);
  t.deepEqual(units(queue), range(0, 35));
  putAll(queue, 35, 41);
  queue.write();
  t.deepEqual(units(queue), range(0, 41));
  t.is(queue.force(), 5, "every file is forced");
  t.is(queue.dirtyBytes, 0);
  t.is(queue.force(), 0);
  queue.write();
  t.deepEqual(units(queue), range(0, 41));
});

test("a queue may let go of its file at any time", (t) => {
  const queue = openQueue(t);
  for (let n = 0; n < 25; n++) {
    put(queue, n);
    if (n % 2 === 0) queue.write();
    queue.close();
    if (n % 3 === 0) queue.force();
  }
  queue.write();
  t.deepEqual(units(queue), range(0, 25));
});

test("the first file is filled up to a queue's first message, and readers begin there", (t) => {
  for (const first of [1, 9, 10, 100, 105]) {
    const queue = openQueue(t);
    put(queue, first);
    t.is(queue.minOffset, first);
    t.is(queue.maxOffset, first + 1);
    queue.write();
    const filled = first % UNITS_PER_FILE;
    t.deepEqual(names(queue), [`${(first - filled) * 20}`.padStart(20, "0")]);
    t.deepEqual(units(queue), [...Array(filled).fill(FILL), unitOf(first)]);
  }
});

test("a queue of which only the fill was written begins at its end when it is opened again", (t) => {
  const first = openQueue(t, { faults: [fault("write", 1)] });
  put(first, 105);
  t.throws(() => first.write(), { code: "ENOSPC" });
  t.deepEqual(units(first), Array(5).fill(FILL));
  const again = openQueue(t, { directory: first.directory, min: 105, max: 105 });
  put(again, 105);
  put(again, 106);
  again.write();
  t.deepEqual({ min: again.minOffset, max: again.maxOffset }, { min: 105, max: 107 });
  t.deepEqual(units(again), [...Array(5).fill(FILL), ...range(105, 107)]);
});

test("a record that is dispatched again is ignored, wherever it stands", (t) => {
  const queue = openQueue(t);
  putAll(queue, 0, 5);
  putAll(queue, 0, 5);
  queue.write();
  t.is(queue.maxOffset, 5);
  putAll(queue, 0, 7);
  put(queue, 6);
  queue.write();
  t.is(queue.maxOffset, 7);
  t.deepEqual(units(queue), range(0, 7));
  queue.put(7 * SIZE, SIZE, 0, 3);
  t.is(queue.maxOffset, 7, "a later record of an earlier queue offset too");
});

test("a hole is filled with units that are no messages, over the end of a file too", (t) => {
  const queue = openQueue(t);
  putAll(queue, 0, 3);
  put(queue, 5);
  put(queue, 18);
  put(queue, 19);
  put(queue, 41);
  queue.write();
  const expected = [
    ...range(0, 3),
    FILL,
    FILL,
    unitOf(5),
    ...Array(12).fill(FILL),
    unitOf(18),
    unitOf(19),
    ...Array(21).fill(FILL),
    unitOf(41),
  ];
  t.deepEqual(units(queue), expected);
  t.deepEqual({ min: queue.minOffset, max: queue.maxOffset, written: queue.writtenOffset }, { min: 0, max: 42, written: 42 });
  t.is(queue.force(), 5, "what was filled is forced too");
});

test("a hole that no disk should be filled with is closed up", (t) => {
  const queue = openQueue(t);
  put(queue, 0);
  queue.put(SIZE, SIZE, -1, 2 ** 40);
  queue.put(2 * SIZE, SIZE, -2, 2 ** 40 + 1);
  queue.write();
  t.is(queue.maxOffset, 3);
  t.deepEqual(units(queue), range(0, 3));
});

test("opened again, a queue goes on behind its last unit, and ignores what that unit has seen", (t) => {
  for (const end of [1, 9, 10, 11, 30]) {
    const first = openQueue(t);
    putAll(first, 0, end);
    first.write();
    first.close();
    const again = openQueue(t, { directory: first.directory, max: end });
    putAll(again, Math.max(0, end - 3), end + 2);
    again.write();
    t.deepEqual(units(again), range(0, end + 2), `end=${end}`);
    t.is(again.maxOffset, end + 2);
  }
});

test("opened again in the middle of what is there, a queue writes the rest again", (t) => {
  const first = openQueue(t);
  putAll(first, 0, 25);
  first.write();
  const again = openQueue(t, { directory: first.directory, max: 8 });
  putAll(again, 0, 12);
  again.write();
  t.is(again.maxOffset, 12);
  t.deepEqual(units(again), range(0, 25), "the same bytes");
});

test("records of a deleted topic are not of the queue that has its name now", (t) => {
  const queue = openQueue(t, { fromOffset: 5 * SIZE });
  for (let n = 0; n < 7; n++) queue.put(n * SIZE, SIZE, -n, n < 5 ? n : n - 5);
  queue.write();
  t.deepEqual(units(queue), range(5, 7));
  t.is(queue.maxOffset, 2);
});

/** Each of these fails once, somewhere in writing 35 units at once. */
const failures: Record<string, Fault> = {
  "the write of the first file": fault("write", 0),
  "half of the write of the first file": fault("write", 0, { partialBytes: 30 }),
  "half of the write of the third file": fault("write", 2, { partialBytes: 50, code: "EIO" }),
  "making a file": fault("open", 1, { code: "EMFILE" }),
  "its length": fault("truncate", 1, { path: "consumequeue.new" }),
};

for (const [what, failing] of Object.entries(failures)) {
  test(`after a failure the same bytes are written again: ${what}`, (t) => {
    const queue = openQueue(t, { faults: [failing] });
    putAll(queue, 0, 35);
    const { code } = failing;
    t.throws(() => queue.write(), code === undefined ? {} : { code });
    t.true(queue.isPending);
    t.is(queue.writtenOffset, 0);
    putAll(queue, 0, 38); // the group again, and what has come meanwhile
    queue.write();
    t.deepEqual(units(queue), range(0, 38));
    t.is(queue.force(), 4);
    t.deepEqual({ max: queue.maxOffset, written: queue.writtenOffset }, { max: 38, written: 38 });
    for (const name of names(queue)) t.is(readFileSync(join(queue.directory, name)).length, FILE_LENGTH);
  });
}

test("after a failure in the middle of a fill the same bytes are written again", (t) => {
  for (let after = 0; after < 5; after++) {
    const queue = openQueue(t, { faults: [fault("write", after, { partialBytes: 30 })] });
    const putThem = (): void => {
      for (const n of [103, 104, 109, 125]) put(queue, n);
      queue.write();
    };
    t.throws(putThem, { code: "ENOSPC" }, `after=${after}`);
    putThem();
    const expected = [
      ...Array(3).fill(FILL),
      ...range(103, 105),
      ...Array(4).fill(FILL),
      unitOf(109),
      ...Array(15).fill(FILL),
      unitOf(125),
    ];
    t.deepEqual(units(queue), expected, `after=${after}`);
    t.deepEqual({ min: queue.minOffset, max: queue.maxOffset }, { min: 103, max: 126 });
  }
});

test("a last unit that cannot be read is asked for again", (t) => {
  const first = openQueue(t);
  putAll(first, 0, 5);
  first.write();
  const again = openQueue(t, { directory: first.directory, max: 5, faults: [fault("read", 0, { code: "EIO" })] });
  t.throws(() => put(again, 4), { code: "EIO" });
  putAll(again, 4, 6);
  again.write();
  t.deepEqual(units(again), range(0, 6));
});

test("a new file's name is durable with the queue's force, also when the first try failed", (t) => {
  const queue = openQueue(t, {
    faults: [fault("syncDirectory", 0, { code: "EIO" }), fault("syncDirectory", 1, { code: "EROFS" })],
  });
  put(queue, 0);
  queue.write();
  t.throws(() => queue.force(), { code: "EIO" });
  t.throws(() => queue.force(), { code: "EROFS" }, "the second try syncs the directory too");
  t.is(queue.force(), 1);
  t.is(queue.force(), 0);
  put(queue, 1);
  queue.write();
  t.is(queue.force(), 1, "and that is all: later forces sync no directory");
});

test("a force that failed is not over: the file is forced again", (t) => {
  const queue = openQueue(t, { faults: [fault("force", 1, { code: "EIO" })] });
  putAll(queue, 0, 25);
  queue.write();
  t.throws(() => queue.force(), { code: "EIO" });
  t.is(queue.force(), 2);
});

/** Files that are open, and how many of them were at most. */
class CountingStorage {
  open = 0;
  most = 0;
  readonly #sizes = new Map<string, number>();

  /** Only what ConsumeQueueFiles asks for: making a thousand real directories durable takes seconds. */
  asStorage(): Storage {
    const open = (path: string): Partial<StorageFile> => {
      this.open++;
      this.most = Math.max(this.most, this.open);
      return {
        size: () => this.#sizes.get(path) ?? 0,
        truncate: (size) => this.#sizes.set(path, size),
        write: () => {},
        force: () => {},
        close: () => {
          this.open--;
        },
      };
    };
    const entry = (path: string): object | undefined => {
      const size = this.#sizes.get(path);
      return size === undefined ? undefined : { size };
    };
    const rename = (from: string, to: string): void => {
      this.#sizes.set(to, this.#sizes.get(from) ?? 0);
    };
    return { open, entry, rename, remove: () => {}, makeDirectory: () => {}, syncDirectory: () => {} } as unknown as Storage;
  }
}

test("no more than a bounded number of files is open, whatever the number of queues", (t) => {
  const counting = new CountingStorage();
  const files = new ConsumeQueueFiles(counting.asStorage(), FILE_LENGTH);
  const queues = Array.from({ length: 3000 }, (_, n) => {
    const place = { slot: n, directory: `/queues/${n}`, isSchedule: false, fromOffset: 0 };
    return new ConsumeQueue(files, place, 0, 0);
  });
  for (let n = 0; n < 25; n++) {
    for (const queue of queues) {
      put(queue, n);
      queue.write();
    }
  }
  t.true(counting.most <= 1024, `open=${counting.most}`);
  for (const queue of queues) t.is(queue.force(), 3);
  t.true(counting.most <= 1024, `open=${counting.most}`);
  files.close();
  t.is(counting.open, 0);
});
