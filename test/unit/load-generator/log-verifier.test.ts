import { crc32, QUEUE_ID_OFFSET } from "@millrace/format";
import test from "ava";
import { BODY_OFFSET } from "#format/message-descriptor.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { RecordedLog } from "./recorded-log.js";

const PLAIN = { topic: "TopicA", topics: 1, queues: 2, tags: 0, keyEnable: false, messageSize: 64, batchSize: 1 };
const RICH = { topic: "TopicB", topics: 3, queues: 2, tags: 5, keyEnable: true, messageSize: 40, batchSize: 3 };

test("a log as it was written is verified, over many segments, topics, queues, batches, tags and keys", async (t) => {
  for (const options of [PLAIN, RICH, { ...RICH, keyEnable: false }, { ...PLAIN, messageSize: 0 }, { ...PLAIN, messageSize: 13 }]) {
    const log = new RecordedLog(options);
    log.record(100);
    t.true(log.segments.length >= 3);
    t.deepEqual(await log.verify(temporaryDirectory(t), 100), {
      verified: 100 * options.batchSize,
      lost: 0,
      unexpected: 0,
      problems: [],
    });
  }
});

test("any flipped bit of a record is found, and named with message and offset", async (t) => {
  const directory = temporaryDirectory(t);
  const log = new RecordedLog(PLAIN);
  log.record(20);
  const { segment, position } = log.placeOf(7);
  const next = log.placeOf(8).position;
  // Hosts, times and flags are not the load's, but the record's CRC covers them too.
  for (let byte = position; byte < next; byte++) {
    segment[byte] = (segment[byte] as number) ^ 0x10;
    const result = await log.verify(directory, 20);
    t.is(result.lost, 1, `byte ${byte - position}`);
    t.is(result.verified, 19);
    t.regex(result.problems[0] ?? "", new RegExp(`^message 7 at offset ${log.acks.physicalOffsetOf(7)}: `));
    segment[byte] = (segment[byte] as number) ^ 0x10;
  }
});

test("a record that is whole but another message's is found", async (t) => {
  const log = new RecordedLog({ ...PLAIN, queues: 1 });
  log.record(10);
  const five = log.acks.physicalOffsetOf(5);
  log.acks.set(5, log.acks.physicalOffsetOf(6), log.acks.queueOffsetOf(6));
  const result = await log.verify(temporaryDirectory(t), 10);
  t.deepEqual([result.verified, result.lost], [9, 1]);
  t.regex(result.problems.join("\n"), /^message 5 .*: wrong body$/m);
  log.acks.set(5, five, 4);
  t.regex((await log.verify(temporaryDirectory(t), 10)).problems.join("\n"), /acknowledged as 4: queueOffset=5/);
});

test("wrong queue, tag or key is found even where the CRC agrees", async (t) => {
  const sent = new RecordedLog({ ...RICH, batchSize: 1 });
  sent.record(12);
  for (const expected of [{ queues: 1 }, { tags: 4 }, { keyEnable: false }, { topics: 2 }, { messageSize: 41 }]) {
    const other = new RecordedLog({ ...RICH, batchSize: 1, ...expected });
    other.segments.push(...sent.segments);
    for (let unit = 0; unit < 12; unit++) other.acks.set(unit, sent.acks.physicalOffsetOf(unit), sent.acks.queueOffsetOf(unit));
    t.true((await other.verify(temporaryDirectory(t), 12)).lost > 0, JSON.stringify(expected));
  }
});

test("a record that is gone, and a segment that is gone, are lost messages and no exception", async (t) => {
  const log = new RecordedLog(PLAIN);
  log.record(60);
  const { segment, position } = log.placeOf(59);
  segment.fill(0, position);
  const removed = log.segments.length - 2;
  const gone = Array.from({ length: 60 }, (_, unit) => unit).filter((unit) => log.placeOf(unit).segment === log.segments[removed]);
  const directory = temporaryDirectory(t);
  delete log.segments[removed];
  const result = await log.verify(directory, 60);
  t.is(result.lost, gone.length + 1);
  t.is(result.verified, 60 - result.lost);
  t.true(result.problems.some((problem) => problem.includes("ENOENT")));
  t.true(result.problems.some((problem) => problem.includes("EMPTY")) || result.problems.length === 10);
});

test("a record that nobody put, or that is there twice, is found wherever it lies", async (t) => {
  for (const [options, number] of [
    [PLAIN, 7],
    [RICH, 7],
    [{ ...PLAIN, messageSize: 0 }, 40],
  ] as const) {
    const log = new RecordedLog(options);
    log.record(30);
    const [offset, queueOffset] = [log.acks.physicalOffsetOf(number), log.acks.queueOffsetOf(number)];
    log.record(1, number);
    log.record(30, 30);
    if (number < 30) log.acks.set(number, offset, queueOffset);
    const result = await log.verify(temporaryDirectory(t), 60);
    t.is(result.unexpected, options.batchSize, JSON.stringify(options));
    t.regex(result.problems[0] ?? "", /no put accounts for the record at offset \d+: topic=Topic\w+ queueId=\d/);
  }
  const last = new RecordedLog(PLAIN);
  last.record(11);
  last.acks.set(10, -1, -1);
  t.is((await last.verify(temporaryDirectory(t), 10)).unexpected, 1);
});

test("a put that has failed may be in the log all the same, once", async (t) => {
  const log = new RecordedLog(RICH);
  log.record(30);
  log.acks.set(7, -1, -1);
  log.acks.set(29, -1, -1);
  t.like(await log.verify(temporaryDirectory(t), 30), { verified: 28 * 3, lost: 0, unexpected: 0, problems: [] });
  t.is((await log.verify(temporaryDirectory(t), 29)).unexpected, 3);
});

test("two messages that were acknowledged with one place, or in another order than they lie, are found without a body", async (t) => {
  const log = new RecordedLog({ ...PLAIN, messageSize: 0, queues: 1 });
  log.record(10);
  log.acks.set(6, log.acks.physicalOffsetOf(5), log.acks.queueOffsetOf(5));
  const result = await log.verify(temporaryDirectory(t), 10);
  t.true(result.lost + result.unexpected > 0);
  t.regex(result.problems.join(), /acknowledged with a place before the end of another one/);
});

test("messages that were never acknowledged are not looked for", async (t) => {
  const log = new RecordedLog(PLAIN);
  log.record(10);
  log.acks.set(3, -1, -1);
  log.placeOf(4).segment[log.placeOf(4).position + BODY_OFFSET] = 0;
  const result = await log.verify(temporaryDirectory(t), 25);
  t.deepEqual([result.verified, result.lost], [8, 1]);
});

test("the layout that these tests change is the record's", (t) => {
  const log = new RecordedLog(PLAIN);
  log.record(2);
  const { segment, position } = log.placeOf(1);
  const view = new DataView(segment.buffer);
  t.is(view.getInt32(position + QUEUE_ID_OFFSET), 1);
  t.is(view.getInt32(position + 8), crc32(segment.subarray(position + BODY_OFFSET, position + BODY_OFFSET + 64)) & 0x7fffffff);
});
