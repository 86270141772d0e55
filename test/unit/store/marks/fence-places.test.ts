import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type StorePaths, storePaths } from "@millrace/format";
import { createStorage, type Fault } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { bringFenceHome, keepFence, leaveFence, liftFence } from "#store/marks/fence-places.js";
import { FlushedWatermark, readFlushedWatermark } from "#store/marks/flushed-watermark.js";
import { liftStoreFence, readStoreFence, unforcedFrom, writeStoreFence } from "#store/marks/store-fence.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const real = createStorage({ kind: "real" });

function refusing(...names: string[]): Fault[] {
  return names.map((path) => ({ operation: "open", path, after: 0, code: "EROFS" }));
}

const places = {
  root: [],
  "the log's side": ["root/millrace.fence"],
  "the watermark file": ["root/millrace.fence", "log.millrace"],
};
for (const [place, refused] of Object.entries(places)) {
  test(`a marker that only ${place} takes is brought home, is found there, and is gone elsewhere`, (t) => {
    const directory = temporaryDirectory(t);
    const paths = storePaths(join(directory, "root"), join(directory, "log"));
    mkdirSync(paths.root);
    const watermark = FlushedWatermark.open(real, paths.watermark);
    for (const flushed of [100, 200]) watermark.write(flushed, 1);
    t.true(leaveFence(createStorage({ kind: "faulty", faults: refusing(...refused) }), paths, 200, new Error("EIO")));
    t.is(existsSync(paths.fence), refused.length === 0);
    t.is(existsSync(paths.logFence), refused.length === 1);
    watermark.write(200, 2);
    watermark.close();
    t.is(readFlushedWatermark(real, paths.watermark)?.epoch, 3, "the slots are as they were");

    const stray = bringFenceHome(createStorage({ kind: "faulty", faults: refusing("root/millrace.fence") }), paths);
    t.is(stray?.offset, refused.length === 0 ? undefined : 200, "what the root still refuses is a fence all the same");
    t.is(bringFenceHome(real, paths), undefined);
    t.is(readStoreFence(real, paths.fence)?.offset, 200);
    liftStoreFence(real, paths.fence);
    t.is(bringFenceHome(real, paths), undefined);
    t.is(readStoreFence(real, paths.fence), undefined, "it lies nowhere else");
  });
}

test("where nothing takes the marker, that is said", (t) => {
  const paths = storePaths(temporaryDirectory(t));
  t.false(leaveFence(real, { ...paths, fence: "/proc/none/fence", logFence: "/proc/none/log" }, 1, "EIO"), "there is no watermark");
});

test("a marker from elsewhere fences again what was lifted, from the lower offset on", (t) => {
  const paths = storePaths(temporaryDirectory(t));
  writeStoreFence(real, paths.fence, { reason: "first", offset: 10, time: 1 });
  liftStoreFence(real, paths.fence);
  writeStoreFence(real, paths.logFence, { reason: "second", offset: 20, time: 2 });
  t.is(bringFenceHome(real, paths), undefined);
  t.deepEqual(readStoreFence(real, paths.fence), { reason: "second", offset: 10, time: 2 });
  t.is(unforcedFrom(real, paths.fence), 10);
  t.false(existsSync(paths.logFence));
});

test("a fence that the root does not take stands, and lifting it says so; when the root takes it, it is lifted", (t) => {
  const paths = storePaths(temporaryDirectory(t));
  writeStoreFence(real, paths.logFence, { reason: "EIO", offset: 20, time: 2 });
  const readOnly = createStorage({ kind: "faulty", faults: refusing("/millrace.fence") });
  t.throws(() => liftFence(readOnly, paths), { code: "ERR_PATH_UNUSABLE", message: /fence stands.*offset=20 fence=EIO/ });
  t.is(readStoreFence(real, paths.logFence)?.offset, 20);
  liftFence(real, paths);
  t.deepEqual([readStoreFence(real, paths.fence), existsSync(paths.logFence)], [undefined, false]);
  t.is(unforcedFrom(real, paths.fence), 20);
});

/** A watermark file, with a marker in it if one is wanted, after something was done to the marker's 24 bytes. */
function damagedMarker(t: ExecutionContext, hasMarker: boolean, damage: (bytes: Uint8Array) => void): StorePaths {
  const paths = storePaths(temporaryDirectory(t));
  FlushedWatermark.open(real, paths.watermark).close();
  if (hasMarker) leaveFence(real, { ...paths, fence: "/proc/none/fence", logFence: "/proc/none/log" }, 300, "EIO");
  const bytes = readFileSync(paths.watermark);
  damage(bytes.subarray(2048, 2072));
  writeFileSync(paths.watermark, bytes);
  t.is(bringFenceHome(real, paths), undefined);
  return paths;
}

for (const torn of [4, 8, 23]) {
  test(`a marker in the watermark file that is torn after ${torn} bytes is a fence, of which no offset is known`, (t) => {
    const paths = damagedMarker(t, true, (bytes) => bytes.fill(0, torn));
    t.is(readStoreFence(real, paths.fence)?.offset, 0);
    t.is(bringFenceHome(real, paths), undefined);
  });
}

test("a flipped bit makes no fence of a place in the watermark file where no marker was, and hides no marker", (t) => {
  // Each byte, and each place in one.
  for (let bit = 0; bit < 24 * 8; bit += 7) {
    const flip = (bytes: Uint8Array): void => {
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    };
    t.is(readStoreFence(real, damagedMarker(t, false, flip).fence), undefined, `bit=${bit}`);
    t.is(readStoreFence(real, damagedMarker(t, true, flip).fence)?.offset, 0, `bit=${bit}`);
  }
});

test("a marker that could not be left when the force failed is left later; one that lies there stays as it is", (t) => {
  const paths = storePaths(temporaryDirectory(t));
  const faults: Fault[] = [{ operation: "open", path: paths.root, after: 0, times: 3, code: "EMFILE" }];
  const storage = createStorage({ kind: "faulty", faults });
  t.false(leaveFence(storage, paths, 100, "EIO"));
  keepFence(storage, paths, 100, "EIO");
  t.is(readStoreFence(storage, paths.fence)?.offset, 100);
  keepFence(storage, paths, 200, "EIO");
  t.is(readStoreFence(storage, paths.fence)?.offset, 100);
});
