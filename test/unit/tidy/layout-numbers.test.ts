import test from "ava";
import { layoutNumbers } from "#scripts/tidy/layout-numbers.js";
import { treeOf } from "#scripts/tidy/source-tree.js";

function found(path: string, text: string): string[] {
  return layoutNumbers.check(treeOf({ [path]: text })).map(({ line, message }) => `${line} ${message.split("=").at(-1)}`);
}

const ENCODER = "packages/format/src/encoder.ts";

test("a magic number outside a descriptor fails, also with separators", (t) => {
  t.deepEqual(found(ENCODER, "const a = 1;\nconst MAGIC = 0xdaa320a7 | 0;"), ["2 0xdaa320a7"]);
  t.deepEqual(found(ENCODER, "const MAGIC = 0xdaa3_20a7n;"), ["1 0xdaa3_20a7n"]);
  t.deepEqual(found("packages/format/src/record-descriptor.ts", "const MAGIC = 0xdaa320a7;"), []);
});

test("an offset as a bare number in a DataView call fails, wherever it is in the first argument", (t) => {
  t.deepEqual(found(ENCODER, "view.setInt32(at + 28, 1);"), ["1 28"]);
  t.deepEqual(found(ENCODER, "view.getBigUint64(\n  at(12),\n  true);"), ["1 12"]);
});

test("values, named offsets, small steps, word masks and short numbers pass", (t) => {
  t.deepEqual(
    found(ENCODER, "view.setInt32(at + OFFSET_28, 1000); view.getInt32(at - 4); x & 0xffff_ffff; y & 0xff; 2 ** 32;"),
    [],
  );
});

test("a number that is allowed in one file is not allowed in another", (t) => {
  t.deepEqual(found("packages/mapped-file/src/real-storage-file.ts", "const MOST = 0x40000000;"), []);
  t.deepEqual(found(ENCODER, "const MOST = 0x40000000;"), ["1 0x40000000"]);
});
