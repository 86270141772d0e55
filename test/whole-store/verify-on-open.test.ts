import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName, storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import { type MessageStore, type MessageStoreOptions, RecordCorruptError } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { DeletedTopics } from "#store/marks/deleted-topics.js";
import { readSegmentNote, type SegmentNote, sealSegmentNote, writeSegmentNote } from "#store/marks/segment-note.js";
import { flipBit } from "../support/flip-bit.js";
import { leftByCrash } from "../support/left-by-crash.js";
import { chosenSeed, seededRandom } from "../support/random.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const STORAGE = createStorage({ kind: "real" });
const SMALL: MessageStoreOptions = { maxHashSlotNum: 100, maxIndexNum: 400, mappedFileSizeConsumeQueue: 2000 };

interface Closed {
  readonly root: string;
  readonly segments: number;
  readonly maxOffset: number;
  readonly queueOffsets: [string, number][];
}

async function fill(store: MessageStore, from: number, count: number): Promise<void> {
  const puts = Array.from({ length: count }, (_, n) =>
    store.putMessage(numbered(from + n, 700, { queueId: n % 3, keys: `key${from + n}` })),
  );
  await Promise.all(puts);
}

/** Five segments and a bit, closed cleanly. */
async function closedStore(t: ExecutionContext, options: MessageStoreOptions = {}): Promise<Closed> {
  const root = temporaryDirectory(t);
  const store = await openStore(t, { ...SMALL, storePathRootDir: root, ...options });
  await fill(store, 0, 400);
  const maxOffset = store.maxPhysicalOffset;
  await store.close();
  const segments = readdirSync(join(root, "commitlog")).length;
  return { root, segments, maxOffset, queueOffsets: [134, 133, 133].map((next, queueId) => [`TopicA-${queueId}`, next]) };
}

/** With the times of all files, to the nanosecond. */
function copyOf(t: ExecutionContext, root: string): string {
  const copy = join(temporaryDirectory(t), "copy");
  execFileSync("cp", ["-a", root, copy]);
  return copy;
}

function sorted({ recovery }: MessageStore): [string, number][] {
  return [...recovery.queueOffsets].sort();
}

function reopen(t: ExecutionContext, { root }: Closed, options: MessageStoreOptions = {}): Promise<MessageStore> {
  return openStore(t, { ...SMALL, storePathRootDir: root, ...options });
}

function segmentPath(root: string, index: number): string {
  return join(root, "commitlog", segmentFileName(index * SEGMENT_SIZE));
}

/** Changes something so that the file says nothing of it, as a disk does. */
function rot(path: string, change: () => void): void {
  const { mtimeNs } = statSync(path, { bigint: true });
  change();
  execFileSync("touch", ["-d", `@${mtimeNs / 1_000_000_000n}.${String(mtimeNs % 1_000_000_000n).padStart(9, "0")}`, path]);
}

function notesIn(root: string): SegmentNote[] {
  const directory = storePaths(root).segmentNotes;
  const offsets = readdirSync(directory)
    .map(Number)
    .sort((a, b) => a - b);
  return offsets.flatMap((offset) => readSegmentNote(STORAGE, directory, offset) ?? []);
}

test.serial("a store that was closed cleanly is opened by its notes: only what is behind its end is read", async (t) => {
  const closed = await closedStore(t);
  const store = await reopen(t, closed);
  const { bytesScanned, segmentsScanned, messages, maxOffset, rows, dispatch } = store.recovery;
  t.is(segmentsScanned, 1);
  t.true(bytesScanned <= SEGMENT_SIZE, String(bytesScanned));
  t.is(messages, 400);
  t.is(maxOffset, closed.maxOffset);
  t.deepEqual(sorted(store), closed.queueOffsets);
  t.deepEqual(rows, ["next-segment", "clean-end"]);
  t.deepEqual(dispatch.rows, { intact: 3 });
  t.is(dispatch.indexRow, "as-marked");
  await fill(store, 400, 3);
  await until(() => store.dispatchBehindBytes === 0);
  t.is(store.getMaxOffsetInQueue("TopicA", 0), (closed.queueOffsets[0]?.[1] ?? 0) + 1);
});

test.serial("verifyOnOpen all reads every segment", async (t) => {
  const closed = await closedStore(t);
  const store = await reopen(t, closed, { verifyOnOpen: "all" });
  t.is(store.recovery.segmentsScanned, closed.segments);
  t.deepEqual(sorted(store), closed.queueOffsets);
});

test.serial("a store that was not closed is read from its last note on", async (t) => {
  const options = { flushIntervalConsumeQueue: 10, flushConsumeQueueThoroughInterval: 20, flushIntervalCommitLog: 10 };
  const closed = await closedStore(t);
  const store = await reopen(t, closed, options);
  await fill(store, 400, 20);
  await store.flush();
  await until(() => notesIn(closed.root).at(-1)?.endOffset === store.maxPhysicalOffset);
  await fill(store, 420, 20);
  await store.flush();
  const killed = leftByCrash(t, closed.root);
  const maxOffset = store.maxPhysicalOffset;
  const [noted, messages] = [notesIn(killed), 440];
  const tail = await openStore(t, { ...SMALL, storePathRootDir: copyOf(t, killed) });
  const all = await openStore(t, { ...SMALL, storePathRootDir: killed, verifyOnOpen: "all" });
  t.false(tail.recovery.lastExitOk);
  t.true(tail.recovery.segmentsScanned <= 1 + (all.recovery.segmentsScanned - noted.length));
  t.true(all.recovery.segmentsScanned > 5);
  for (const { recovery } of [tail, all]) {
    t.is(recovery.maxOffset, maxOffset);
    t.is(recovery.messages, messages);
  }
  t.deepEqual(sorted(tail), sorted(all));
});

test.serial("what the dispatcher notes of a segment is what a scan finds in it, whatever is put", async (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const root = temporaryDirectory(t);
  for (let life = 0; life < 3; life++) {
    const store = await openStore(t, { ...SMALL, storePathRootDir: root, mappedFileSizeCommitLog: 16 * KIB });
    for (let n = 0; n < 60; n++) {
      const placed = { topic: `Topic-${random(4)}`, queueId: random(3), ...(random(2) === 0 ? { tags: "TagA" } : {}) };
      const message = numbered(n, 10 + random(600), placed);
      if (random(6) === 0) {
        const { prepared } = await store.prepareMessage(message);
        if (prepared === null) throw new Error("not prepared");
        if (random(2) === 0) await store.commitMessage(prepared);
        else await store.rollbackMessage(prepared);
      } else if (random(8) === 0) await store.putMessages([message, message, message]);
      else await store.putMessage(message);
      if (random(50) === 0) await store.deleteTopic(`Topic-${random(4)}`);
    }
    // Two segments more, of which no deletion keeps a record from its queue.
    for (let n = 60; n < 110; n++) await store.putMessage(numbered(n, 500, { topic: `Topic-${random(4)}` }));
    await store.close();
    const dispatched = notesIn(root);
    t.true(dispatched.length > 1);
    const scannedRoot = copyOf(t, root);
    const options = { ...SMALL, storePathRootDir: scannedRoot, mappedFileSizeCommitLog: 16 * KIB };
    await (await openStore(t, { ...options, verifyOnOpen: "all" })).close();
    // Of a segment with records that a deletion kept from their queue the dispatcher notes nothing: it is read.
    const isNoted = new Set(dispatched.map(({ fromOffset }) => fromOffset));
    const scanned = notesIn(scannedRoot).filter(({ fromOffset }) => isNoted.has(fromOffset));
    t.deepEqual(dispatched.map(comparable(scannedRoot)), scanned.map(comparable(scannedRoot)));
    const tail = await openStore(t, { ...options, storePathRootDir: copyOf(t, root) });
    const all = await openStore(t, { ...options, verifyOnOpen: "all" });
    t.deepEqual(sorted(tail), sorted(all));
    t.is(tail.recovery.messages, all.recovery.messages);
    t.is(tail.recovery.lastStoreTimestamp, all.recovery.lastStoreTimestamp);
  }
});

test("a note of an earlier end is not sealed at a later one", (t) => {
  const storage = STORAGE;
  const directory = join(temporaryDirectory(t), "notes");
  const note = {
    fromOffset: 0,
    endOffset: 500,
    lastRecordOffset: 300,
    modifiedMs: undefined,
    messages: 3,
    lastStoreTimestamp: 7,
    queues: [],
  };
  writeSegmentNote(storage, directory, note);
  sealSegmentNote(storage, directory, 0, { endOffset: 500, modifiedMs: 11 });
  t.like(readSegmentNote(storage, directory, 0), { endOffset: 500, modifiedMs: 11 });
  sealSegmentNote(storage, directory, 0, { endOffset: 90_000, modifiedMs: 12 });
  t.is(readSegmentNote(storage, directory, 0), undefined);
  // Unread for want of a descriptor, it may be one of an earlier end.
  writeSegmentNote(storage, directory, note);
  const faults = [{ operation: "descriptor", path: directory, after: 0, times: 1, code: "EMFILE" }] as const;
  sealSegmentNote(createStorage({ kind: "faulty", faults }), directory, 0, { endOffset: 500, modifiedMs: 13 });
  t.is(readSegmentNote(storage, directory, 0), undefined);
});

test.serial("a life that could not note its last segment leaves no note of the life before, and nothing is missing", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const options = { ...SMALL, storePathRootDir, mappedFileSizeCommitLog: 1024 * KIB };
  const first = await openStore(t, options);
  await fill(first, 0, 10);
  await first.close();
  t.is(notesIn(storePathRootDir).length, 1);
  const second = await openStore(t, options);
  const blocked = join(storePaths(storePathRootDir).consumeQueue, "Blocked");
  writeFileSync(blocked, "no directory"); // a record that no queue takes: the dispatcher cannot say what the segment holds
  await second.putMessage({ topic: "Blocked", queueId: 0, body: Buffer.from("x") });
  await fill(second, 10, 300);
  const { maxPhysicalOffset } = second;
  await until(() => second.dispatchBehindBytes === 0);
  await second.close();
  t.deepEqual(notesIn(storePathRootDir), []);
  rmSync(blocked);
  const third = await openStore(t, options);
  t.is(third.maxPhysicalOffset, maxPhysicalOffset);
  t.is(
    [0, 1, 2].reduce((sum, queueId) => sum + third.getMaxOffsetInQueue("TopicA", queueId), 0),
    310,
  );
  t.is(third.getMaxOffsetInQueue("Blocked", 0), 1);
});

/** Without what deleted topics have had: a scan does not count them, and the dispatcher had counted them before. */
function comparable(root: string): (note: SegmentNote) => object {
  const deleted = deletedTopics(root);
  return ({ queues, modifiedMs, ...note }) => {
    const alive = queues.filter(({ topic, lastPhysicalOffset }) => lastPhysicalOffset >= (deleted.get(topic) ?? 0));
    const keyed = alive.map((queue) => [`${queue.topic}-${queue.queueId}`, queue] as const);
    return { ...note, queues: new Map([...keyed].sort(([a], [b]) => (a < b ? -1 : 1))) };
  };
}

function deletedTopics(root: string): ReadonlyMap<string, number> {
  return DeletedTopics.read(STORAGE, storePaths(root).deletedTopics).offsets;
}

test.serial("a segment that was written to since it was noted is read", async (t) => {
  const closed = await closedStore(t);
  flipBit(segmentPath(closed.root, 1), 3000, 2);
  const store = await reopen(t, closed);
  t.is(store.recovery.segmentsScanned, 2);
  t.is(store.recovery.corrupt.length, 1);
});

test.serial(
  "a last segment that was written to after a clean end is read, and what was durable in it refuses the store",
  async (t) => {
    const closed = await closedStore(t);
    const last = closed.segments - 1;
    flipBit(segmentPath(closed.root, last), 100, 2);
    await t.throwsAsync(reopen(t, closed), { code: "ERR_COMMIT_LOG_CORRUPT", message: /row=damage-below-watermark/ });
  },
);

test.serial("a bit that has flipped on the disk is found when its record is read, or when all is verified", async (t) => {
  const closed = await closedStore(t);
  rot(segmentPath(closed.root, 1), () => flipBit(segmentPath(closed.root, 1), 3000, 2));
  const all = await openStore(t, { ...SMALL, storePathRootDir: copyOf(t, closed.root), verifyOnOpen: "all" });
  t.is(all.recovery.corrupt.length, 1);
  const { topic = "", queueId = 0, queueOffset = 0 } = all.recovery.corrupt[0] ?? {};
  const store = await reopen(t, closed);
  t.is(store.recovery.corrupt.length, 0);
  t.throws(() => store.getMessage({ topic, queueId, queueOffset }), { instanceOf: RecordCorruptError });
});

test.serial("when a broker was there in between, nothing that was noted counts, and all is checked", async (t) => {
  const closed = await closedStore(t);
  writeFileSync(join(closed.root, "lock"), "lock", { flag: "r+" });
  const store = await reopen(t, closed);
  t.is(store.recovery.segmentsScanned, closed.segments);
  await store.close();
  const again = await reopen(t, closed);
  t.is(again.recovery.segmentsScanned, 1);
});

test.serial("a broker's ConsumeQueue is checked whole, and one that nobody has touched is not", async (t) => {
  const closed = await closedStore(t);
  const path = join(closed.root, "consumequeue", "TopicA", "1", segmentFileName(0));
  rot(path, () => flipBit(path, 20 * 50 + 6, 0));
  const unread = await openStore(t, { ...SMALL, storePathRootDir: copyOf(t, closed.root) });
  t.deepEqual(unread.recovery.dispatch.rows, { intact: 3 });
  writeFileSync(join(closed.root, "lock"), "lock", { flag: "r+" });
  const store = await reopen(t, closed);
  t.deepEqual(store.recovery.dispatch.rows, { intact: 2, damaged: 1 });
});

test.serial("a note of bytes that were not known to be durable is none, and goes before anything is written", async (t) => {
  const closed = await closedStore(t);
  const directory = storePaths(closed.root).segmentNotes;
  const last = notesIn(closed.root).at(-1) as SegmentNote;
  writeSegmentNote(STORAGE, directory, { ...last, endOffset: last.endOffset + 100 });
  writeSegmentNote(STORAGE, directory, { ...last, fromOffset: last.fromOffset + 10 * SEGMENT_SIZE });
  const store = await reopen(t, closed);
  t.is(store.recovery.maxOffset, closed.maxOffset);
  t.is(store.recovery.segmentsScanned, 1);
  t.true(store.recovery.bytesScanned >= closed.maxOffset - last.fromOffset);
  t.deepEqual(
    notesIn(closed.root)
      .map(({ endOffset }) => endOffset)
      .at(-1),
    closed.maxOffset,
  );
  t.is(notesIn(closed.root).length, closed.segments);
});

test.serial("what recovery has forced after a kill is known to be durable, though nothing is put then", async (t) => {
  const closed = await closedStore(t);
  const store = await reopen(t, closed, { flushIntervalCommitLog: 60_000 });
  await fill(store, 400, 20);
  await until(() => store.dispatchBehindBytes === 0);
  const root = leftByCrash(t, closed.root); // before the force
  const recovered = await openStore(t, { ...SMALL, storePathRootDir: root });
  t.is(recovered.recovery.messages, 420);
  await recovered.close();
  const again = await openStore(t, { ...SMALL, storePathRootDir: root });
  t.is(again.recovery.messages, 420);
  t.is(again.recovery.bytesScanned, SEGMENT_SIZE - ((notesIn(root).at(-1)?.lastRecordOffset ?? 0) % SEGMENT_SIZE));
});

test.serial("without a watermark nothing is known to have been durable, and no note counts", async (t) => {
  const closed = await closedStore(t);
  rmSync(storePaths(closed.root).watermark);
  const store = await reopen(t, closed);
  t.is(store.recovery.segmentsScanned, closed.segments);
});

test.serial("a note whose last record is not there is none", async (t) => {
  const closed = await closedStore(t);
  const directory = storePaths(closed.root).segmentNotes;
  const last = notesIn(closed.root).at(-1) as SegmentNote;
  writeSegmentNote(STORAGE, directory, { ...last, lastRecordOffset: last.lastRecordOffset - 1, queues: [] });
  const store = await reopen(t, closed);
  t.deepEqual(sorted(store), closed.queueOffsets);
});

test.serial("damaged and missing notes cost time alone, and something else in their place too", async (t) => {
  const closed = await closedStore(t);
  const directory = storePaths(closed.root).segmentNotes;
  flipBit(join(directory, "0"), 30, 1);
  rmSync(join(directory, String(SEGMENT_SIZE)));
  const store = await reopen(t, closed);
  t.is(store.recovery.segmentsScanned, 3);
  t.deepEqual(sorted(store), closed.queueOffsets);
  await store.close();
  rmSync(directory, { recursive: true });
  writeFileSync(directory, "no directory");
  const other = await reopen(t, closed);
  t.is(other.recovery.segmentsScanned, closed.segments);
  await other.close();
  t.is(readFileSync(directory, "utf8"), "no directory");
});

test.serial("notes of segments that retention has taken go with them", async (t) => {
  const closed = await closedStore(t);
  const expiring = { fileReservedTime: 0, deleteCommitLogFilesInterval: 0, deleteConsumeQueueFilesInterval: 0 };
  const store = await reopen(t, closed, expiring);
  await store.deleteExpiredFiles();
  await until(() => notesIn(closed.root).length <= 1);
  t.true(store.minPhysicalOffset > 0);
  const { maxPhysicalOffset } = store;
  await store.close();
  const again = await reopen(t, closed);
  t.is(again.recovery.maxOffset, maxPhysicalOffset);
});
