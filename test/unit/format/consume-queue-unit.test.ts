import test from "ava";
import { ConsumeQueueUnit, writeConsumeQueueUnit, writeFillUnit } from "#format/consume-queue-unit.js";

const UNIT_LENGTH = 20;

function unitOf(bytes: Uint8Array, position = 0): ConsumeQueueUnit {
  const unit = new ConsumeQueueUnit();
  unit.read(bytes, position);
  return unit;
}

test("what is written is read, and nothing beside it is touched", (t) => {
  const bytes = new Uint8Array(3 * UNIT_LENGTH).fill(0xee);
  for (const [physicalOffset, size, tagsCode] of [
    [0, 91, 0],
    [2 ** 40 + 5, 0x7ffffffe, -1],
    [Number.MAX_SAFE_INTEGER, 1, -(2 ** 31)],
    [1, 100, 1_764_222_000_000],
  ] as const) {
    writeConsumeQueueUnit(bytes, UNIT_LENGTH, physicalOffset, size, tagsCode);
    const unit = unitOf(bytes, UNIT_LENGTH);
    t.deepEqual({ ...unit }, { physicalOffset, size, tagsCode });
    const viewed = new ConsumeQueueUnit();
    viewed.readFrom(new DataView(bytes.buffer), UNIT_LENGTH);
    t.deepEqual(viewed, unit);
    t.true(unit.isMessage);
    t.true([...bytes.subarray(0, UNIT_LENGTH), ...bytes.subarray(2 * UNIT_LENGTH)].every((byte) => byte === 0xee));
  }
});

test("a unit that fills a place is no message, nor are zeros and negative offsets", (t) => {
  const bytes = new Uint8Array(UNIT_LENGTH);
  t.false(unitOf(bytes).isMessage);
  t.false(unitOf(bytes).isFill);
  writeFillUnit(bytes, 0);
  t.true(unitOf(bytes).isFill);
  t.false(unitOf(bytes).isMessage);
  writeConsumeQueueUnit(bytes, 0, -1, 100, 0);
  t.false(unitOf(bytes).isMessage);
});

test("a tagsCode is a hash when it is an int, and an address below every int", (t) => {
  const bytes = new Uint8Array(UNIT_LENGTH);
  for (const [tagsCode, isTagsHash, isExtAddress] of [
    [0, true, false],
    [2 ** 31 - 1, true, false],
    [2 ** 31, false, false],
    [-(2 ** 31), true, false],
    [-(2 ** 31) - 1, false, true],
    [-(2 ** 52), false, true],
  ] as const) {
    writeConsumeQueueUnit(bytes, 0, 0, 100, tagsCode);
    t.is(unitOf(bytes).isTagsHash, isTagsHash, `tagsCode=${tagsCode}`);
    t.is(unitOf(bytes).isExtAddress, isExtAddress, `tagsCode=${tagsCode}`);
  }
  bytes.fill(0xff, 12).fill(0, 13);
  bytes[12] = 0x80; // the lowest i64
  t.true(unitOf(bytes).isExtAddress);
});
