import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  MAGIC_OFFSET,
  PHYSICAL_OFFSET_OFFSET,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  segmentFileName,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import { type MessageStore, type MillraceError, RecordCorruptError } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { BODY_OFFSET, STORE_TIMESTAMP_OFFSET } from "#format/message-descriptor.js";
import { flipBit } from "../support/flip-bit.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const COUNT = 1200;
const QUEUES = [0, 1];
const OPTIONS = { mappedFileSizeConsumeQueue: 400 * 20, maxHashSlotNum: 100, maxIndexNum: 2000 };

interface Victim {
  readonly physicalOffset: number;
  readonly size: number;
  readonly queueId: number;
  readonly queueOffset: number;
}

/** A store of some segments, closed cleanly, and one of its records in the second one. */
async function closedStore(t: ExecutionContext, options: object = {}): Promise<{ root: string; victim: Victim }> {
  const root = temporaryDirectory(t);
  const store = await openStore(t, { ...OPTIONS, storePathRootDir: root, ...options });
  const puts = Array.from({ length: COUNT }, (_, n) =>
    store.putMessage(numbered(n, 100, { queueId: n % QUEUES.length, keys: `key${n}`, tags: "TagA" })),
  );
  const results = await Promise.all(puts);
  const at = results.findIndex(({ appendResult }) => (appendResult?.wroteOffset ?? 0) > 1.5 * SEGMENT_SIZE);
  const { wroteOffset = 0, wroteBytes = 0, queueOffset = 0 } = results[at]?.appendResult ?? {};
  await store.close();
  return { root, victim: { physicalOffset: wroteOffset, size: wroteBytes, queueId: at % QUEUES.length, queueOffset } };
}

function flip(root: string, physicalOffset: number, bit: number): void {
  const position = physicalOffset % SEGMENT_SIZE;
  flipBit(join(root, "commitlog", segmentFileName(physicalOffset - position)), position, bit);
}

/** Reads a queue to its end. Numbers of its messages, and queue offsets of the corrupt ones. A unit that is built again is waited for. */
async function readQueue(store: MessageStore, queueId: number): Promise<{ numbers: number[]; corrupt: number[] }> {
  const [numbers, corrupt]: [number[], number[]] = [[], []];
  const end = store.getMaxOffsetInQueue("TopicA", queueId);
  for (let queueOffset = store.getMinOffsetInQueue("TopicA", queueId); queueOffset < end; ) {
    try {
      using found = store.getMessage({ topic: "TopicA", queueId, queueOffset });
      for (const { body, topic, keys } of found.messages) {
        const number = numberOf(body);
        if (topic !== "TopicA" || keys[0] !== `key${number}` || body.length !== 100)
          throw new Error(`wrong message: number=${number}`);
        numbers.push(number);
      }
      queueOffset = found.nextBeginOffset;
    } catch (error) {
      if ((error as MillraceError).code === "ERR_CONSUME_QUEUE_CORRUPT") {
        await setTimeout(5);
        continue;
      }
      if (!(error instanceof RecordCorruptError) || error.queueOffset === undefined) throw error;
      corrupt.push(error.queueOffset);
      queueOffset = error.queueOffset + 1;
    }
  }
  return { numbers, corrupt };
}

/** What becomes of a flipped bit: the store is not opened, one record is corrupt, or nothing is changed. */
async function outcomeOf(t: ExecutionContext, root: string, victim: Victim): Promise<string> {
  const store = await openStore(t, { ...OPTIONS, storePathRootDir: root }).catch((error: MillraceError) => error.code);
  if (typeof store === "string") return store;
  const told: (number | undefined)[] = [];
  store.on("corrupt", ({ service, physicalOffset }) => told.push(service === "read" ? physicalOffset : undefined));
  try {
    t.deepEqual(store.topics(), ["TopicA"]);
    let outcome = "unchanged";
    for (const queueId of QUEUES) {
      const expected = Array.from({ length: COUNT / QUEUES.length }, (_, n) => n * QUEUES.length + queueId);
      t.is(store.getMinOffsetInQueue("TopicA", queueId), 0);
      t.is(store.getMaxOffsetInQueue("TopicA", queueId, false), expected.length);
      const { numbers, corrupt } = await readQueue(store, queueId);
      if (corrupt.length > 0) {
        outcome = "ERR_RECORD_CORRUPT";
        t.is(queueId, victim.queueId);
        t.deepEqual(corrupt, [victim.queueOffset]);
        expected.splice(victim.queueOffset, 1);
      }
      t.deepEqual(numbers, expected);
    }
    if (outcome !== "unchanged") {
      await until(() => told.includes(victim.physicalOffset));
      t.like(store.recovery.corrupt, { length: 1, 0: { physicalOffset: victim.physicalOffset, size: victim.size } });
    }
    t.is(store.stats().get.corruptRecords, outcome === "unchanged" ? 0 : 1);
    return outcome;
  } finally {
    await store.close();
  }
}

const BYTES = {
  size: TOTAL_SIZE_OFFSET + 1,
  magic: MAGIC_OFFSET,
  queueId: QUEUE_ID_OFFSET + 3,
  queueOffset: QUEUE_OFFSET_OFFSET + 2,
  physicalOffset: PHYSICAL_OFFSET_OFFSET + 6,
  storeTimestamp: STORE_TIMESTAMP_OFFSET + 2,
  body: BODY_OFFSET + 3,
};

for (const isKilled of [false, true]) {
  test(`no flipped bit of a record in an old segment is handed out after a ${isKilled ? "kill" : "clean end"}`, async (t) => {
    const { root, victim } = await closedStore(t);
    const outcome = (): Promise<string> => {
      if (isKilled) writeFileSync(join(root, "abort"), "");
      return outcomeOf(t, root, victim);
    };
    for (const [field, byte] of Object.entries(isKilled ? { size: BYTES.size, body: BYTES.body } : BYTES)) {
      flip(root, victim.physicalOffset + byte, 0);
      t.is(await outcome(), "ERR_RECORD_CORRUPT", field);
      flip(root, victim.physicalOffset + byte, 0);
    }
    t.is(await outcome(), "unchanged");
  });
}

test("a queue that is built again says of a corrupt record that it is one, not that there is a hole", async (t) => {
  const { root, victim } = await closedStore(t);
  flip(root, victim.physicalOffset + BODY_OFFSET, 0);
  rmSync(join(root, "consumequeue"), { recursive: true });
  rmSync(join(root, "index"), { recursive: true });
  t.is(await outcomeOf(t, root, victim), "ERR_RECORD_CORRUPT");
});

function zero(root: string, begin: number, length: number): void {
  const position = begin % SEGMENT_SIZE;
  const path = join(root, "commitlog", segmentFileName(begin - position));
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0, position, position + length));
}

for (const [what, from, length] of [
  ["the head of a record", 0, 100],
  ["a record and some before and behind it", -1000, 2048],
] as const) {
  test(`zeros over ${what} in an old segment cost what they cover, and the store opens`, async (t) => {
    const { root, victim } = await closedStore(t);
    const begin = victim.physicalOffset + from;
    zero(root, begin, length);
    for (const isKilled of [false, true]) {
      if (isKilled) writeFileSync(join(root, "abort"), "");
      const store = await openStore(t, { ...OPTIONS, storePathRootDir: root });
      const { physicalOffset = begin + 1, size = 0 } = store.recovery.corrupt[0] ?? {};
      t.is(store.recovery.corrupt.length, 1);
      t.true(physicalOffset <= begin && physicalOffset + size >= begin + length);
      const read = await Promise.all(QUEUES.map((queueId) => readQueue(store, queueId)));
      t.deepEqual(
        read.map(({ numbers, corrupt }) => numbers.length + corrupt.length),
        QUEUES.map(() => COUNT / QUEUES.length),
      );
      t.true(read[victim.queueId]?.corrupt.includes(victim.queueOffset));
      t.is(read.flatMap(({ corrupt }) => corrupt).length, Math.round(size / victim.size));
      await store.close();
    }
  });
}

test("zeros over the first record of the log cost that record, when queues and index are built again too", async (t) => {
  const { root, victim } = await closedStore(t);
  for (const name of ["consumequeue", "index", "millrace.logStart", `commitlog/${segmentFileName(0)}`])
    rmSync(join(root, name), { recursive: true });
  zero(root, SEGMENT_SIZE, 100);
  const store = await openStore(t, { ...OPTIONS, storePathRootDir: root });
  t.like(store.recovery, { minOffset: SEGMENT_SIZE, corrupt: { length: 1, 0: { physicalOffset: SEGMENT_SIZE } } });
  const first = Math.floor(SEGMENT_SIZE / victim.size) + 1; // the one before it is zeros
  const read = await Promise.all(QUEUES.map((queueId) => readQueue(store, queueId)));
  t.deepEqual(
    read.flatMap(({ numbers }) => numbers).sort((a, b) => a - b),
    Array.from({ length: COUNT - first }, (_, n) => first + n),
  );
  t.is(store.queryMessage({ topic: "TopicA", key: `key${first}` }).messages.length, 1);
});
