import { rmSync } from "node:fs";
import { MessageSealer } from "@millrace/format";
import test from "ava";
import { BuiltStore } from "../../../support/built-store.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { chosenSeed, seededRandom } from "../../../support/random.js";

const BODY_OFFSET = 88;

/** One message of queue 0 of TopicA for each of these store timestamps. */
function storedAt(times: readonly number[]): CommitLogBuilder {
  const builder = new CommitLogBuilder();
  const sealer = new MessageSealer();
  for (const [n, time] of times.entries()) {
    const { offset, length } = builder.add();
    const bytes = builder.image(offset);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    sealer.seal(view, bytes, offset % builder.segmentSize, length, BODY_OFFSET, n, offset, time, true);
  }
  return builder;
}

function finder(store: BuiltStore): { lower: (time: number | Date) => number; upper: (time: number | Date) => number } {
  return {
    lower: (time) => store.reader.getOffsetInQueueByTime("TopicA", 0, time, "lower"),
    upper: (time) => store.reader.getOffsetInQueueByTime("TopicA", 0, time, "upper"),
  };
}

test("lower is the first message at or after a time, upper the last at or before it", (t) => {
  const { lower, upper } = finder(new BuiltStore(t, storedAt([100, 200, 200, 200, 300, 500])));
  const rows: [time: number, lower: number, upper: number][] = [
    [0, 0, 0],
    [99, 0, 0],
    [100, 0, 0],
    [101, 1, 0],
    [200, 1, 3],
    [201, 4, 3],
    [300, 4, 4],
    [499, 5, 4],
    [500, 5, 5],
    [501, 6, 5],
    [Infinity, 6, 5],
    [-Infinity, 0, 0],
  ];
  for (const [time, first, last] of rows) t.deepEqual([lower(time), upper(time)], [first, last], String(time));
  t.is(lower(new Date(201)), 4);
});

test("any times are found as by looking at every message", (t) => {
  const seed = chosenSeed();
  t.log(`MILLRACE_SEED=${seed}`);
  const random = seededRandom(seed);
  for (let round = 0; round < 10; round++) {
    const times = Array.from({ length: 1 + random(60) }, () => 1000 + random(40)).sort((a, b) => a - b);
    const { lower, upper } = finder(new BuiltStore(t, storedAt(times)));
    for (let time = 998; time < 1042; time++) {
      t.is(lower(time), times.filter((at) => at < time).length, `lower of ${time} in ${times}`);
      t.is(upper(time), Math.max(0, times.filter((at) => at <= time).length - 1), `upper of ${time} in ${times}`);
    }
  }
});

test("the answer is always from the queue's minimum to its maximum", (t) => {
  const store = new BuiltStore(t, storedAt([100, 200, 300, 400]));
  store.setQueue("TopicA", 0, { min: 2 });
  const { lower, upper } = finder(store);
  t.deepEqual([lower(0), upper(0)], [2, 2]);
  t.deepEqual([lower(250), upper(250)], [2, 2]);
  t.deepEqual([lower(350), upper(350)], [3, 2]);
  t.deepEqual([lower(1000), upper(1000)], [4, 3]);
  store.setQueue("TopicA", 0, { min: 4 });
  t.deepEqual([lower(0), upper(1000)], [4, 4]);
});

test("records that have been deleted already are passed over", (t) => {
  const builder = storedAt(Array.from({ length: 80 }, (_, n) => 1000 + n));
  const first = builder.records.findIndex(({ offset }) => offset >= 4096);
  const store = new BuiltStore(t, builder);
  rmSync(store.segmentPath(0));
  store.setMinOffset(4096);
  const { lower, upper } = finder(store);
  t.is(lower(1000 + first + 5), first + 5);
  t.is(upper(1000 + first + 5), first + 5);
  t.is(lower(0), first);
});

test("what fills a hole hides no message before it", (t) => {
  const builder = storedAt(Array.from({ length: 80 }, (_, n) => 1000 + n));
  const first = builder.records.findIndex(({ offset }) => offset >= 4096);
  const store = new BuiltStore(t, builder);
  rmSync(store.segmentPath(0));
  store.setMinOffset(4096);
  for (let n = first + 7; n < 70; n++) store.setUnit("TopicA", 0, n, { physicalOffset: 0, size: 0x7fff_ffff, tagsCode: 0 });
  const { lower } = finder(store);
  t.is(lower(0), first);
  t.is(lower(1000 + first + 5), first + 5);
});

test("a unit that does not lead to its record is refused", (t) => {
  const builder = storedAt([100, 200, 300]);
  const store = new BuiltStore(t, builder);
  for (const n of [0, 1, 2]) store.setUnit("TopicA", 0, n, { physicalOffset: 17, size: 95, tagsCode: 0 });
  const { lower, upper } = finder(store);
  for (const find of [lower, upper]) t.throws(() => find(250), { code: "ERR_CONSUME_QUEUE_CORRUPT" });
});

test("an unknown queue gives 0, and what is no time is refused", (t) => {
  const store = new BuiltStore(t, storedAt([100]));
  t.is(store.reader.getOffsetInQueueByTime("None", 0, 100), 0);
  t.is(store.reader.getOffsetInQueueByTime("TopicA", 5, 100), 0);
  for (const time of [Number.NaN, "100", undefined, new Date(Number.NaN)]) {
    t.throws(() => store.reader.getOffsetInQueueByTime("TopicA", 0, time as number), { code: "ERR_GET_ILLEGAL" });
  }
  t.throws(() => store.reader.getOffsetInQueueByTime("TopicA", 0, 1, "middle" as never), { code: "ERR_GET_ILLEGAL" });
});
