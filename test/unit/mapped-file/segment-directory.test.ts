import { join } from "node:path";
import test from "ava";
import { createStorage } from "#mapped-file/create-storage.js";
import { SegmentDirectory } from "#mapped-file/segment-directory.js";

test("an offset lies in the segment that begins at or before it", (t) => {
  const segments = new SegmentDirectory("log", 4096);
  for (const [offset, start] of [
    [0, 0],
    [4095, 0],
    [4096, 4096],
    [2 ** 40 + 1, 2 ** 40],
  ] as const) {
    t.is(segments.startOf(offset), start);
    t.is(segments.endOf(offset), start + 4096);
    t.is(segments.isStart(offset), offset === start);
    t.is(segments.pathOf(offset), join("log", String(start).padStart(20, "0")));
    const { path, fromOffset, size } = segments.at(createStorage({ kind: "real" }), offset, "read");
    t.deepEqual({ path, fromOffset, size }, { path: segments.pathOf(offset), fromOffset: start, size: 4096 });
  }
});

test("offsets may be units: names count bytes", (t) => {
  const segments = new SegmentDirectory("queue", 10, 20);
  t.is(segments.startOf(29), 20);
  t.is(segments.pathOf(29), join("queue", "00000000000000000400"));
  const { fromOffset, size } = segments.at(createStorage({ kind: "real" }), 29, "read");
  t.deepEqual({ fromOffset, size }, { fromOffset: 400, size: 200 });
});
