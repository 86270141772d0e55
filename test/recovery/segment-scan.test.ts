import { PROPERTY_CRC_LENGTH } from "@millrace/format";
import test from "ava";
import { countCorruptRecord } from "#store/recover/log/corrupt-record.js";
import type { SegmentScan, SegmentScanOptions } from "#store/recover/log/segment-scan.js";
import { scanSegment } from "#store/recover/log/segment-scan.js";
import type { LogQueue } from "#store/recover/scan/log-queue.js";
import { CommitLogBuilder } from "../support/commit-log-builder.js";

type Scan = Omit<SegmentScan, "queues" | "corrupt"> & { queueOffsets: Map<string, number> };

function scan(bytes: Uint8Array, options: Partial<SegmentScanOptions> = {}): Scan {
  const { queues, corrupt: _, ...found } = scanQueues(bytes, options);
  return { ...found, queueOffsets: new Map([...queues].map(([key, queue]) => [key, queue.nextQueueOffset])) };
}

function scanQueues(bytes: Uint8Array, options: Partial<SegmentScanOptions> = {}): SegmentScan {
  const readAt = (target: Uint8Array, position: number): void => target.set(bytes.subarray(position, position + target.length));
  return scanSegment(readAt, { fromOffset: 0, size: bytes.length, checkCrc: true, ...options });
}

test("a scan says where the records end, how many there are, the last time, and the next queue offsets", (t) => {
  const log = new CommitLogBuilder();
  for (const queueId of [0, 1, 0]) log.add({ queueId });
  log.add({ topic: "%RETRY%group-a", sysFlag: 8 });
  t.deepEqual(scan(log.image(0)), {
    ending: "empty",
    from: 0,
    position: log.offset,
    lastPosition: log.offset - 141,
    detail: "EMPTY",
    messages: 4,
    lastStoreTimestamp: log.lastStoreTimestamp,
    queueOffsets: new Map([
      ["TopicA-0", 2],
      ["TopicA-1", 1],
      ["%RETRY%group-a-0", 1],
    ]),
  });
});

test("prepared and rolled back messages do not move a queue, an inner batch moves it by its count", (t) => {
  const log = new CommitLogBuilder();
  log.add({ queueOffset: 41 });
  log.add({ sysFlag: 4, queueId: 3 });
  log.add({ sysFlag: 12, queueId: 3 });
  log.add({ sysFlag: 0x80, queueId: 4, queueOffset: 10, properties: "INNER_NUM\x015\x02" });
  t.deepEqual(
    [...scan(log.image(0)).queueOffsets],
    [
      ["TopicA-0", 42],
      ["TopicA-4", 15],
    ],
  );
});

test("an inner batch of more messages than its body has bytes is no good record", (t) => {
  const log = new CommitLogBuilder();
  log.add();
  const { offset } = log.add({ sysFlag: 0x80, properties: "INNER_NUM\x019007199254740991\x02" });
  log.add();
  const { position, detail, queueOffsets } = scan(log.image(0));
  t.deepEqual([position, detail, [...queueOffsets]], [offset, "BAD_FIELD", [["TopicA-0", 1]]]);
});

test("a segment is complete by its blank record, which must reach its end", (t) => {
  const log = new CommitLogBuilder();
  log.add();
  const blankAt = log.offset;
  log.roll();
  log.image(0).fill(0xff, blankAt + 8); // stale bytes behind a blank record mean nothing
  const { ending, position, detail } = scan(log.image(0));
  t.deepEqual([ending, position, detail], ["complete", 4096, "BLANK"]);
  for (let at = blankAt; at < blankAt + 8; at++) {
    log.damage(at);
    t.deepEqual([scan(log.image(0)).ending, scan(log.image(0)).position], ["damaged", blankAt], `byte ${at - blankAt}`);
    log.damage(at);
  }
});

test("zeros are the end only if nothing follows them", (t) => {
  const log = new CommitLogBuilder();
  log.add();
  log.image(0)[4095] = 1;
  const { ending, position, detail } = scan(log.image(0));
  t.deepEqual([ending, position, detail], ["damaged", log.offset, "ZEROS_BEFORE_DATA"]);
});

test("an unused segment is empty at its first byte", (t) => {
  const { ending, position, messages, queueOffsets } = scan(new Uint8Array(4096));
  t.deepEqual([ending, position, messages, queueOffsets.size], ["empty", 0, 0, 0]);
});

for (const mask of [0x01, 0x80, 0x55]) {
  test(`a byte changed anywhere in a record (by ${mask}) ends the good records before it`, (t) => {
    const log = new CommitLogBuilder();
    for (let i = 0; i < 3; i++) log.add();
    const record = log.records[1];
    if (record === undefined) return t.fail();
    for (let at = record.offset; at < record.offset + record.length; at++) {
      log.damage(at, mask);
      const { ending, position, messages } = scan(log.image(0));
      t.deepEqual([ending, position, messages], ["damaged", record.offset, 1], `byte ${at - record.offset}`);
      log.damage(at, mask);
    }
    t.is(scan(log.image(0)).messages, 3);
  });
}

test("the last record cut off by zeros, at whatever byte, is no good record", (t) => {
  const log = new CommitLogBuilder();
  log.add();
  const { offset, length } = log.add();
  const whole = log.image(0).slice();
  for (let kept = 8; kept < length; kept++) {
    log.image(0).set(whole);
    log.image(0).fill(0, offset + kept);
    const { ending, position } = scan(log.image(0));
    t.deepEqual([ending, position], ["damaged", offset], `kept ${kept}`);
  }
});

test("a first record whose properties never reached the disk is no good record either", (t) => {
  const log = new CommitLogBuilder();
  const { length } = log.add();
  log.image(0).fill(0, length - PROPERTY_CRC_LENGTH - 4);
  t.deepEqual([scan(log.image(0)).ending, scan(log.image(0)).detail], ["damaged", "TORN_PROPERTIES"]);
});

test("a lost page of properties is damage after a record with a property CRC, even if a record follows", (t) => {
  const log = new CommitLogBuilder();
  log.add();
  const { offset, length } = log.add();
  log.add();
  log.image(0).fill(0, offset + length - PROPERTY_CRC_LENGTH - 4, offset + length);
  const { ending, position, detail } = scan(log.image(0));
  t.deepEqual([ending, position, detail], ["damaged", offset, "TORN_PROPERTIES"]);
});

test("without property CRCs, properties that end in zero are good if a record follows", (t) => {
  const log = new CommitLogBuilder(4096, false);
  log.add({ properties: "a\x01b\0" });
  t.is(scan(log.image(0)).detail, "TORN_PROPERTIES");
  log.add({ sysFlag: 0x80, queueOffset: 1, properties: "INNER_NUM\x013\x02a\x01b\0" });
  log.add();
  for (let windowSize = 64; windowSize < 400; windowSize++) {
    const { messages, queueOffsets } = scan(log.image(0), { windowSize });
    t.deepEqual([messages, [...queueOffsets]], [3, [["TopicA-0", 4]]], `window ${windowSize}`);
  }
});

test("a log that stops writing property CRCs, and starts again, is good", (t) => {
  const [withCrc, without] = [new CommitLogBuilder(4096, true), new CommitLogBuilder(4096, false)];
  withCrc.add();
  const first = withCrc.offset;
  while (without.offset < first) without.add({ body: new Uint8Array(0), properties: "" });
  const second = new CommitLogBuilder(4096, false, first);
  second.add();
  const third = new CommitLogBuilder(4096, true, second.offset);
  third.add();
  const image = withCrc.image(0).slice();
  image.set(second.image(0).subarray(first), first);
  image.set(third.image(0).subarray(second.offset), second.offset);
  t.deepEqual([scan(image).messages, scan(image).position], [3, third.offset]);
});

test("a record that was written for another place is stale", (t) => {
  const log = new CommitLogBuilder();
  log.add();
  t.is(scan(log.image(0), { fromOffset: 4096 }).detail, "WRONG_PHYSICAL_OFFSET");
});

for (const topic of ["../../etc", "a/b", "a.b", "", "a\0b", "ü", "t".repeat(256)]) {
  test(`the topic ${JSON.stringify(topic.slice(0, 20))} is damage at the end, and forbidden where a record follows`, (t) => {
    const log = new CommitLogBuilder();
    log.add();
    const { offset } = log.add({ topic });
    t.deepEqual([scan(log.image(0)).ending, scan(log.image(0)).position], ["damaged", offset]);
    log.add();
    const { ending, position, detail } = scan(log.image(0));
    t.deepEqual([ending, position, detail], ["forbidden", offset, "ILLEGAL_TOPIC"]);
  });
}

test("a topic of 255 characters, as RocketMQ 5 allows, is good", (t) => {
  const log = new CommitLogBuilder();
  log.add({ topic: "t".repeat(255) });
  t.is(scan(log.image(0)).messages, 1);
});

test("without the CRC check a damaged body passes, a damaged length does not", (t) => {
  const log = new CommitLogBuilder();
  const { offset } = log.add();
  log.damage(offset + 89);
  t.is(scan(log.image(0), { checkCrc: false }).messages, 1);
  log.damage(offset + 87);
  t.is(scan(log.image(0), { checkCrc: false }).messages, 0);
});

test("the window's size does not matter, even if every record is larger", (t) => {
  const log = new CommitLogBuilder(65_536);
  log.fillTo(0, 20_000);
  log.add({ body: new Uint8Array(9000).fill(1) });
  log.fillTo(1);
  const whole = scan(log.image(0));
  t.is(whole.ending, "complete");
  for (const windowSize of [1, 7, 100, 1000, 4096, 65_535]) t.deepEqual(scan(log.image(0), { windowSize }), whole);
  const open = scan(log.image(65_536), { fromOffset: 65_536 });
  t.is(open.ending, "empty");
  for (const windowSize of [1, 100, 4096]) t.deepEqual(scan(log.image(65_536), { fromOffset: 65_536, windowSize }), open);
});

test("a length out of bounds never makes the scan read outside the segment", (t) => {
  for (const total of [-1, -0x8000_0000, 0x7fff_ffff, 4097, 4096, 91, 90, 1, 0]) {
    for (const windowSize of [64, 4096]) {
      const log = new CommitLogBuilder();
      log.add();
      new DataView(log.image(0).buffer).setInt32(0, total);
      const { ending, position } = scan(log.image(0), { windowSize });
      t.deepEqual([ending, position], ["damaged", 0], `total ${total}`);
    }
  }
});

test("random bytes are never taken for records, nor do they break the scan", (t) => {
  let seed = 12_345;
  const random = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) | 0;
    return seed >>> 16;
  };
  for (let round = 0; round < 300; round++) {
    const log = new CommitLogBuilder();
    log.fillTo(0, 1500);
    const from = random() % 1500;
    const image = log.image(0);
    for (let at = from; at < from + (random() % 600) + 1; at++) image[at] = random();
    const { position, messages } = scan(image, { windowSize: 512 });
    const good = log.records.filter((record) => record.offset + record.length <= from);
    t.true(messages >= good.length && position <= log.offset);
    t.true(log.records.some((record) => record.offset === position) || position === log.offset);
  }
});

test("a scan that may pass corrupt records goes on behind one, whichever of its bits is flipped, and nothing else changes", (t) => {
  const log = new CommitLogBuilder();
  for (let n = 0; n < 8; n++) log.add({ queueId: n % 2 });
  const { offset = 0, length = 0 } = log.records[4] ?? {};
  const bytes = log.image(0);
  const good = scanQueues(bytes);
  for (let bit = 0; bit < 8 * length; bit++) {
    const at = offset + (bit >> 3);
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
    const found = scanQueues(bytes, { passesCorrupt: true });
    t.deepEqual({ ...found, corrupt: [], messages: 8 }, good, `bit ${bit}`);
    t.is(found.messages, 7);
    t.like(found.corrupt, { length: 1, 0: { physicalOffset: offset, size: length } });
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
  }
});

test("a scan that may pass corrupt records goes on behind zeros where another record follows, and ends at them elsewhere", (t) => {
  const log = new CommitLogBuilder();
  for (let n = 0; n < 8; n++) log.add({ queueId: n % 2 });
  const { offset = 0, length = 0 } = log.records[4] ?? {};
  const bytes = log.image(0).fill(0, offset, offset + length);
  const place = { physicalOffset: offset, size: length, reason: "EMPTY" };
  t.like(scanQueues(bytes, { passesCorrupt: true }), { ending: "empty", messages: 7, corrupt: [place] });
  t.like(scanQueues(bytes), { ending: "damaged", messages: 4, detail: "ZEROS_BEFORE_DATA", corrupt: [] });
  t.like(scanQueues(bytes.fill(0, offset), { passesCorrupt: true }), { ending: "empty", messages: 4, corrupt: [] });
});

test("a corrupt record counts as the end or the beginning of its queue when it says so itself", (t) => {
  const run = { firstQueueOffset: 5, firstPhysicalOffset: 1000, nextQueueOffset: 8, lastPhysicalOffset: 3000 };
  const queue: LogQueue = { ...run, newQueueOffset: -1, newPhysicalOffset: -1, restart: undefined };
  const queues = new Map([["TopicA-0", queue]]);
  const record = { size: 200, reason: "BAD_BODY_CRC", topic: "TopicA", queueId: 0 } as const;
  countCorruptRecord(queues, { ...record, physicalOffset: 2000, queueOffset: 8 });
  countCorruptRecord(queues, { ...record, physicalOffset: 4000, queueOffset: 9 });
  countCorruptRecord(queues, { ...record, physicalOffset: 4000, queueOffset: 8, queueId: 1 });
  countCorruptRecord(queues, { ...record, physicalOffset: 1500, queueOffset: 4 });
  t.like(queue, run);
  countCorruptRecord(queues, { ...record, physicalOffset: 4000, queueOffset: 8 });
  countCorruptRecord(queues, { ...record, physicalOffset: 500, queueOffset: 4 });
  t.like(queue, { firstQueueOffset: 4, firstPhysicalOffset: 500, nextQueueOffset: 9, lastPhysicalOffset: 4000 });
});
