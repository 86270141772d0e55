import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { DiskSpace, diskRatio, diskRatioOf } from "#store/clean/disk-space.js";
import { storeConfig } from "../../../support/clean-config.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

function space(commitLogDiskRatio: number, consumeQueueDiskRatio: number, options = {}): DiskSpace & { full: boolean[] } {
  const full: boolean[] = [];
  const disk = new DiskSpace(
    storeConfig(options),
    () => ({ commitLogDiskRatio, consumeQueueDiskRatio }),
    (isFull) => full.push(isFull),
  );
  disk.look();
  return Object.assign(disk, { full });
}

/** What the rules say of a ratio. */
function verdict(ratio: number, options = {}): string {
  const { isSpaceToDelete, cleansImmediately, isFull } = space(ratio, 0.1, options);
  return `${isSpaceToDelete ? "delete " : ""}${cleansImmediately ? "immediately " : ""}${isFull ? "full" : ""}`.trim();
}

test("a disk's ratio is what is taken of what can be taken, in whole per cents, rounded up; a reserve counts for nothing", (t) => {
  t.is(diskRatio({ totalBytes: 1000, usedBytes: 0, freeBytes: 900 }), 0);
  t.is(diskRatio({ totalBytes: 1000, usedBytes: 1, freeBytes: 899 }), 0.01);
  t.is(diskRatio({ totalBytes: 1000, usedBytes: 450, freeBytes: 450 }), 0.5);
  t.is(diskRatio({ totalBytes: 1000, usedBytes: 451, freeBytes: 449 }), 0.51);
  t.is(diskRatio({ totalBytes: 1000, usedBytes: 900, freeBytes: 0 }), 1);
  t.is(diskRatio({ totalBytes: 0, usedBytes: 0, freeBytes: 0 }), -1);
  const storage = createStorage({ kind: "real" });
  const directory = temporaryDirectory(t);
  t.true(diskRatioOf(storage, directory) > 0);
  t.is(diskRatioOf(storage, `${directory}/missing`), -1);
});

test("above 75 expired files go at any hour, above 85 those too that have not expired, above 90 no puts are taken", (t) => {
  t.is(verdict(0.75), "");
  t.is(verdict(0.76), "delete");
  t.is(verdict(0.85), "delete");
  t.is(verdict(0.86), "delete immediately");
  t.is(verdict(0.9), "delete immediately");
  t.is(verdict(0.91), "delete immediately full");
  t.is(verdict(-1), "");
});

test("cleanFileForciblyEnable false: nothing goes that has not expired, however full the disk", (t) => {
  t.is(verdict(0.99, { cleanFileForciblyEnable: false }), "delete full");
});

test("the limits are options", (t) => {
  const options = { diskMaxUsedSpaceRatio: 10, diskSpaceCleanForciblyRatio: 30, diskSpaceWarningLevelRatio: 35 };
  t.is(verdict(0.1, options), "");
  t.is(verdict(0.11, options), "delete");
  t.is(verdict(0.31, options), "delete immediately");
  t.is(verdict(0.36, options), "delete immediately full");
});

test("the fuller disk decides, and the flag goes with the space that comes back on either", (t) => {
  let [commitLogDiskRatio, consumeQueueDiskRatio] = [0.95, 0.1];
  const full: boolean[] = [];
  const disk = new DiskSpace(
    storeConfig(),
    () => ({ commitLogDiskRatio, consumeQueueDiskRatio }),
    (isFull) => full.push(isFull),
  );
  disk.look();
  [commitLogDiskRatio, consumeQueueDiskRatio] = [0.1, 0.95];
  disk.look();
  consumeQueueDiskRatio = 0.88;
  disk.look();
  t.true(disk.cleansImmediately);
  consumeQueueDiskRatio = 0.1;
  disk.look();
  t.deepEqual(full, [true, true, false, false]);
  t.false(disk.isSpaceToDelete);
});
