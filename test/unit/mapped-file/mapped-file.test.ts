import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage, type Fault, MappedFile } from "@millrace/mapped-file";
import test from "ava";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const SIZE = 4096;
const EIO = { code: "EIO" };
const storage = createStorage({ kind: "real" });

function segment(directory: string): MappedFile {
  const file = new MappedFile(storage, directory, SIZE, SIZE, "write");
  writeFileSync(file.path, new Uint8Array(SIZE));
  return file;
}

test("a segment is named by its offset and touches the disk at the first use only", (t) => {
  const directory = temporaryDirectory(t);
  const file = new MappedFile(storage, directory, SIZE, SIZE, "write");
  t.is(file.path, join(directory, "00000000000000004096"));
  t.is(file.endOffset, 2 * SIZE);
  file.close();
  t.throws(() => file.force(), { code: "ENOENT" });
});

test("bytes written through the channel are seen in the mapping, and the other way round", (t) => {
  const file = segment(temporaryDirectory(t));
  file.write(new Uint8Array([1, 2]), 10);
  t.deepEqual([...file.bytes.subarray(9, 13)], [0, 1, 2, 0]);
  file.bytes[12] = 3;
  file.force();
  const target = new Uint8Array(4);
  file.file.read(target, 9);
  t.deepEqual([...target], [0, 1, 2, 3]);
  file.close();
});

test("a range is forced from and to anywhere in the segment, and the whole file where it cannot be mapped", (t) => {
  const file = segment(temporaryDirectory(t));
  file.write(new Uint8Array([1, 2]), 10);
  t.notThrows(() => file.forceRange(10, 2));
  t.notThrows(() => file.forceRange(SIZE - 1, 1));
  t.throws(() => file.forceRange(SIZE - 1, 2), { code: "ERR_SEGMENT_RANGE" });
  file.close();
  const faults: readonly Fault[] = [
    { operation: "map", path: "", after: 0, times: 1, code: "ENOMEM" },
    { operation: "force", path: "", after: 0, times: 2, code: "EIO" },
  ];
  const unmappable = new MappedFile(createStorage({ kind: "faulty", faults }), join(file.path, ".."), SIZE, SIZE, "write");
  t.throws(() => unmappable.forceRange(0, 1), EIO, "by the whole file");
  t.throws(() => unmappable.forceRange(0, 1), EIO, "by the mapping");
  t.notThrows(() => unmappable.forceRange(0, 1));
  unmappable.close();
});

test("nothing reaches beyond the segment", (t) => {
  const file = segment(temporaryDirectory(t));
  for (const [position, length] of [
    [SIZE, 1],
    [0, SIZE + 1],
    [-1, 1],
    [0, -1],
    [Number.NaN, 1],
  ] as const) {
    t.throws(() => file.lock(position, length), { code: "ERR_SEGMENT_RANGE" });
    t.throws(() => file.unlock(position, length), { code: "ERR_SEGMENT_RANGE" });
  }
  t.throws(() => file.write(new Uint8Array(2), SIZE - 1), { code: "ERR_SEGMENT_RANGE" });
  t.is(file.file.size(), SIZE);
  file.close();
});

test("a file that lost its length is not mapped", (t) => {
  const file = segment(temporaryDirectory(t));
  truncateSync(file.path, SIZE - 1);
  t.throws(() => file.bytes, { code: "ERR_SEGMENT_SIZE" });
  file.close();
});

test("closing empties the views, and the next use opens it again", (t) => {
  const file = segment(temporaryDirectory(t));
  const view = file.bytes.subarray(0, 8);
  file.close();
  file.close();
  t.is(view.length, 0);
  t.is(file.bytes.subarray(0, 8).length, 8);
  file.close();
});

test("destroying a segment deletes its file", (t) => {
  const file = segment(temporaryDirectory(t));
  const view = file.bytes.subarray(0, 8);
  file.destroy();
  t.false(existsSync(file.path));
  t.is(view.length, 0);
});
