import { statSync } from "node:fs";
import { createStorage, type Fault, SegmentDirectory } from "@millrace/mapped-file";
import type { MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { SegmentFill } from "#store/allocate/segment-fill.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZE = 40 * MIB + 4096;
const BLOCK = 512;

/** A new segment of 40 MiB and a page, and a way of filling it. */
function emptySegment(t: ExecutionContext, options: MessageStoreOptions, faults: readonly Fault[] = []) {
  const directory = temporaryDirectory(t);
  const storage = createStorage({ kind: "faulty", faults });
  const segment = new SegmentDirectory(directory, SIZE).at(storage, 0, "write");
  const file = storage.open(segment.path, "create");
  file.truncate(SIZE);
  file.close();
  t.teardown(() => segment.close());
  const fill = new SegmentFill(resolveConfig({ storePathRootDir: directory, ...options }));
  return { segment, fill, allocated: () => statSync(segment.path).blocks * BLOCK, data: () => segment.file.seekData(0) };
}

const RESERVING: Record<string, MessageStoreOptions> = {
  writeWithoutMmap: { writeWithoutMmap: true },
  transientStorePoolEnable: { transientStorePoolEnable: true },
};
for (const [name, options] of Object.entries(RESERVING)) {
  test(`${name} in ASYNC_FLUSH: blocks are reserved, and nothing is written`, (t) => {
    const { segment, fill, allocated, data } = emptySegment(t, options);
    t.is(fill.fill(segment, 0, 3 * MIB + 1), 4 * MIB);
    t.true(allocated() >= 4 * MIB && allocated() < 5 * MIB);
    t.is(data(), SIZE);
    t.is(fill.fill(segment, 4 * MIB, SIZE), 20 * MIB);
  });
}

const WRITING: Record<string, { options: MessageStoreOptions; slice: number; block: number }> = {
  "mapped, ASYNC_FLUSH": { options: {}, slice: MIB, block: MIB },
  "mapped, SYNC_FLUSH": { options: { flushDiskType: "SYNC_FLUSH" }, slice: 8 * MIB, block: 16 * KIB },
  "writeWithoutMmap, SYNC_FLUSH": {
    options: { flushDiskType: "SYNC_FLUSH", writeWithoutMmap: true },
    slice: 8 * MIB,
    block: 64 * KIB,
  },
};
for (const [name, { options, slice, block }] of Object.entries(WRITING)) {
  test(`${name}: a write is of ${block / KIB} KiB, and one that finds no space leaves what was written`, (t) => {
    const full: Fault = { operation: "write", path: "", after: 1, code: "ENOSPC" };
    const { segment, fill } = emptySegment(t, options, [full]);
    t.throws(
      () => {
        const end = fill.fill(segment, 0, 2 * MIB);
        fill.fill(segment, end, 2 * MIB);
      },
      { code: "ENOSPC" },
    );
    t.is(segment.file.seekHole(0), block);
  });

  test(`${name}: zeros are written, ${slice / MIB} MiB at a time`, (t) => {
    const { segment, fill, data } = emptySegment(t, options);
    t.is(fill.fill(segment, 100, 17 * MIB), slice);
    t.is(data(), 0);
    t.is(fill.fill(segment, slice, 20 * MIB), 2 * slice);
    t.is(fill.fill(segment, 2 * slice, 2 * slice + 1), 2 * slice + MIB);
  });
}

test("a file system that cannot reserve gets zeros", (t) => {
  const cannot: Fault = { operation: "allocate", path: "", after: 0, code: "EOPNOTSUPP" };
  const { segment, fill, allocated, data } = emptySegment(t, { writeWithoutMmap: true }, [cannot]);
  t.is(fill.fill(segment, 0, 3 * MIB), MIB);
  t.is(data(), 0);
  segment.force();
  t.true(allocated() >= MIB);
});

test("a full disk is the caller's to hear of", (t) => {
  const full: Fault = { operation: "allocate", path: "", after: 0, code: "ENOSPC" };
  const { segment, fill } = emptySegment(t, { writeWithoutMmap: true }, [full]);
  t.throws(() => fill.fill(segment, 0, SIZE), { code: "ENOSPC" });
});

test("the last slice ends with the segment", (t) => {
  const { segment, fill } = emptySegment(t, { writeWithoutMmap: true });
  t.is(fill.fill(segment, 30 * MIB, 100 * MIB), SIZE);
  const written = emptySegment(t, {});
  t.is(written.fill.fill(written.segment, SIZE - 100, 100 * MIB), SIZE);
});
