import test from "ava";
import type { StorageFile } from "#mapped-file/storage.js";
import { fillHoles, isZero, writeZeros, zeroData } from "#mapped-file/zero-fill.js";

const PAGE = 4096;

/** A file in memory that says which writes reached it, and where it was read. */
function fileOf(
  bytes: Uint8Array,
  nextData = (position: number) => position,
): { file: StorageFile; writes: [position: number, length: number][]; reads: number[] } {
  const writes: [number, number][] = [];
  const reads: number[] = [];
  const file = {
    seekData: nextData,
    read(target: Uint8Array, position: number) {
      reads.push(position);
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
    write(source: Uint8Array, position: number) {
      bytes.set(source, position);
      writes.push([position, source.length]);
    },
  };
  return { file: file as StorageFile, writes, reads };
}

test("zeros are written block by block, and no write crosses a block's end", (t) => {
  const bytes = new Uint8Array(100).fill(7);
  const { file, writes } = fileOf(bytes);
  writeZeros(file, 10, 90, 32);
  t.deepEqual(writes, [
    [10, 22],
    [32, 32],
    [64, 26],
  ]);
  t.true(isZero(bytes.subarray(10, 90)));
  t.deepEqual([bytes[9], bytes[90]], [7, 7]);
});

test("only pages that hold something are zeroed: the others may be holes", (t) => {
  const length = 40 * PAGE + 100;
  const bytes = new Uint8Array(length);
  bytes[5] = bytes[15] = bytes[17 * PAGE] = bytes[length - 1] = 1;
  const { file, writes } = fileOf(bytes);
  t.is(zeroData(file, 10, length), PAGE - 10 + PAGE + 100);
  t.deepEqual(writes, [
    [10, PAGE - 10],
    [17 * PAGE, PAGE],
    [40 * PAGE, 100],
  ]);
  t.is(bytes[5], 1, "before the position");
  t.true(isZero(bytes.subarray(10)));
  t.is(zeroData(file, length, length), 0);
});

test("holes are not read when what is not zero is zeroed", (t) => {
  const block = 16 * PAGE;
  const bytes = new Uint8Array(100 * block);
  bytes[50 * block + PAGE] = bytes[90 * block] = 1;
  const nextData = (position: number): number =>
    [50 * block + PAGE, 90 * block, bytes.length].find((data) => data >= position) ?? position;
  const { file, writes, reads } = fileOf(bytes, nextData);
  t.is(zeroData(file, 100, bytes.length), 2 * PAGE);
  t.deepEqual(
    writes.map(([position]) => position),
    [50 * block + PAGE, 90 * block],
  );
  t.deepEqual(reads, [100, 50 * block + PAGE, 51 * block, 90 * block, 91 * block]);
});

test("pages that may be holes are written, pages with anything in them are not", (t) => {
  const bytes = new Uint8Array(5 * PAGE);
  bytes[PAGE] = bytes[4 * PAGE - 1] = 1;
  const { file, writes } = fileOf(bytes);
  fillHoles(file, bytes.length, 2 * PAGE);
  t.deepEqual(writes, [
    [0, PAGE],
    [2 * PAGE, PAGE],
    [4 * PAGE, PAGE],
  ]);
  t.deepEqual([bytes[PAGE], bytes[4 * PAGE - 1]], [1, 1]);
});

test("one byte anywhere is not zero", (t) => {
  const bytes = new Uint8Array(3 * 64 * 1024 + 1);
  t.true(isZero(bytes));
  for (const at of [0, 64 * 1024, bytes.length - 1]) {
    bytes[at] = 1;
    t.false(isZero(bytes), `at=${at}`);
    bytes[at] = 0;
  }
});
