import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { CommitLogCleaner } from "#store/clean/commit-log-cleaner.js";
import { DiskSpace } from "#store/clean/disk-space.js";
import { Pause } from "#store/clean/pause.js";
import { storeConfig } from "../../../support/clean-config.js";
import { SegmentsOfTest } from "../../../support/segments-of-test.js";

const HOUR_MS = 60 * 60 * 1000;
/** Half past three in the night, and half past four, local time. */
const AT_3 = new Date(2024, 4, 1, 3, 30).getTime();
const AT_4 = AT_3 + HOUR_MS;

interface Cleaner {
  readonly service: CommitLogCleaner;
  readonly segments: SegmentsOfTest;
  readonly clock: { now: number };
  readonly disk: { ratio: number };
  readonly pause: Pause;
}

function cleaner(options: MessageStoreOptions = {}, now = AT_4, modifiedMs = now - 73 * HOUR_MS): Cleaner {
  const config = storeConfig({ deleteCommitLogFilesInterval: 0, ...options });
  const segments = new SegmentsOfTest(modifiedMs);
  const clock = { now };
  const disk = { ratio: 0.1 };
  const measure = () => ({ commitLogDiskRatio: disk.ratio, consumeQueueDiskRatio: disk.ratio });
  const pause = new Pause();
  const space = new DiskSpace(config, measure, () => {});
  return {
    service: new CommitLogCleaner(config, segments, space, { now: () => clock.now, monotonic: () => clock.now - AT_3 }, pause),
    segments,
    clock,
    disk,
    pause,
  };
}

test("in the hour of deleteWhen expired segments go, in another hour they stay", async (t) => {
  const night = cleaner({}, AT_3);
  t.deepEqual(await night.service.run(false), { deletedSegments: 0 });
  night.clock.now = AT_4;
  t.deepEqual(await night.service.run(false), { deletedSegments: 9 });
  t.deepEqual(night.segments.deleted, [0, 100, 200, 300, 400, 500, 600, 700, 800]);
  const twice = cleaner({ deleteWhen: "02;03" }, AT_3);
  t.deepEqual(await twice.service.run(false), { deletedSegments: 9 });
});

test("a run deletes deleteFileBatchMax segments at most, and the last one never", async (t) => {
  const { service, segments } = cleaner({ deleteFileBatchMax: 4 });
  t.deepEqual(await service.run(false), { deletedSegments: 4 });
  t.deepEqual(await service.run(false), { deletedSegments: 4 });
  t.deepEqual(await service.run(false), { deletedSegments: 1 });
  t.deepEqual(await service.run(false), { deletedSegments: 0 });
  t.is(segments.minOffset, 900);
});

test("a segment that has not expired keeps the older ones behind it: nothing goes from the middle", async (t) => {
  const { service, segments } = cleaner();
  segments.modified.set(300, AT_4 - 71 * HOUR_MS);
  t.deepEqual(await service.run(false), { deletedSegments: 3 });
  segments.modified.set(300, AT_4 - 72 * HOUR_MS);
  t.deepEqual(await service.run(false), { deletedSegments: 6 });
});

test("a segment whose file is missing already counts as expired", async (t) => {
  const { service, segments } = cleaner({}, AT_4, AT_4);
  segments.modified.delete(0);
  t.deepEqual(await service.run(false), { deletedSegments: 1 });
  t.is(segments.minOffset, 100);
});

test("nothing goes that is not dispatched and durable", async (t) => {
  const { service, segments } = cleaner();
  segments.limitOffset = 250;
  t.deepEqual(await service.run(false), { deletedSegments: 2 });
  t.is(segments.minOffset, 200);
});

test("a segment goes when the units of its records are durable: that is waited for, until it is time to stop", async (t) => {
  const alive = setInterval(() => {}, 1000); // a pause keeps no process alive
  t.teardown(() => clearInterval(alive));
  const { service, segments } = cleaner({ deleteFileBatchMax: 1 });
  segments.asksUntilForced = 2;
  t.deepEqual(await service.run(false), { deletedSegments: 1 });
  t.deepEqual(segments.calls, ["forced 100?", "forced 100?", "retire 100", "delete 100"]);
  const stopped = cleaner();
  stopped.segments.asksUntilForced = Number.POSITIVE_INFINITY;
  const run = stopped.service.run(false);
  stopped.pause.stop();
  t.deepEqual(await run, { deletedSegments: 0 });
  t.is(stopped.segments.minOffset, 0);
});

test("a manual run is not bound to the hour, but to the age", async (t) => {
  const { service, segments } = cleaner({}, AT_3);
  segments.modified.set(200, AT_3);
  t.deepEqual(await service.run(true), { deletedSegments: 2 });
});

test("above diskMaxUsedSpaceRatio only expired segments go, at any hour", async (t) => {
  const { service, segments, disk } = cleaner({}, AT_3);
  segments.modified.set(200, AT_3);
  disk.ratio = 0.8;
  t.deepEqual(await service.run(false), { deletedSegments: 2 });
  t.deepEqual(await service.run(false), { deletedSegments: 0 });
});

test("above diskSpaceCleanForciblyRatio segments of any age go, a batch at a time, until only the last is left", async (t) => {
  const { service, segments, disk } = cleaner({ deleteFileBatchMax: 5 }, AT_3, AT_3);
  disk.ratio = 0.86;
  t.deepEqual(await service.run(false), { deletedSegments: 5 });
  t.deepEqual(await service.run(false), { deletedSegments: 4 });
  t.deepEqual(await service.run(false), { deletedSegments: 0 });
  t.is(segments.minOffset, 900);
  const careful = cleaner({ cleanFileForciblyEnable: false }, AT_3, AT_3);
  careful.disk.ratio = 0.86;
  t.deepEqual(await careful.service.run(false), { deletedSegments: 0 });
});

test("no segment is deleted before its readers are turned away", async (t) => {
  const { service, segments } = cleaner({ deleteFileBatchMax: 2 });
  await service.run(false);
  t.deepEqual(segments.calls, ["retire 100", "delete 100", "retire 200", "delete 200"]);
});

test("a leased segment is waited for, in any hour, and those behind it with it", async (t) => {
  const { service, segments, clock } = cleaner();
  segments.lease = 100;
  t.deepEqual(await service.run(false), { deletedSegments: 1 });
  t.is(segments.minOffset, 200, "nobody reads it any more");
  t.deepEqual(service.held, { endOffset: 200, sinceMs: AT_4 });
  clock.now += 90_000;
  t.deepEqual(await service.run(false), { deletedSegments: 0 });
  t.deepEqual(segments.deleted, [0]);
  segments.lease = 500;
  clock.now = AT_4 + HOUR_MS;
  t.deepEqual(await service.run(false), { deletedSegments: 1 });
  t.deepEqual(segments.deleted, [0, 100]);
  t.is(service.held, undefined);
});

test("after destroyMapedFileIntervalForcibly a lease is ended by force", async (t) => {
  const { service, segments, clock } = cleaner({ destroyMapedFileIntervalForcibly: 1000 });
  segments.lease = 0;
  t.deepEqual(await service.run(false), { deletedSegments: 0 });
  clock.now += 999;
  await service.run(false);
  t.deepEqual(segments.calls, ["retire 100"]);
  clock.now += 1;
  t.deepEqual(await service.run(false), { deletedSegments: 9 });
  t.deepEqual(segments.calls.slice(0, 3), ["retire 100", "force 100", "delete 100"]);
});

test("a deletion that fails is told, and tried again before anything else", async (t) => {
  const { service, segments, clock } = cleaner();
  segments.failure = "EIO";
  t.deepEqual(await service.run(false), { deletedSegments: 0, failure: "EIO" });
  clock.now += HOUR_MS;
  t.deepEqual(await service.run(false), { deletedSegments: 0, failure: "EIO" });
  t.is(segments.minOffset, 100);
  segments.failure = undefined;
  t.deepEqual(await service.run(false), { deletedSegments: 1 });
});

test("between two segments there is a pause, and a stop in it ends the run", async (t) => {
  const { service, segments, pause } = cleaner({ deleteCommitLogFilesInterval: 60_000 });
  const run = service.run(false);
  await new Promise(setImmediate);
  t.deepEqual(segments.deleted, [0]);
  pause.stop();
  t.deepEqual(await run, { deletedSegments: 1 });
});

test("a segment of the future is said to be one, and expires by when the records after it were stored", async (t) => {
  const { service, segments } = cleaner({}, AT_3, AT_3 - 73 * HOUR_MS);
  const inFuture = { fromOffset: 200, modifiedMs: AT_3 + HOUR_MS };
  segments.modified.set(200, inFuture.modifiedMs);
  t.deepEqual(await service.run(true), { deletedSegments: 2 });
  t.deepEqual(service.inFuture, inFuture);
  t.deepEqual(await service.run(false), { deletedSegments: 0 });
  t.deepEqual(service.inFuture, inFuture, "at any hour");
  segments.stored.set(300, AT_3 + HOUR_MS); // the clock was still ahead
  segments.stored.set(400, AT_3 - 71 * HOUR_MS);
  t.deepEqual(await service.run(true), { deletedSegments: 0 });
  segments.stored.set(400, AT_3 - 72 * HOUR_MS);
  t.deepEqual(await service.run(true), { deletedSegments: 7 });
  t.deepEqual(await service.run(true), { deletedSegments: 0 });
  t.is(service.inFuture, undefined);
});

test("a segment with a delayed message that has not been delivered stays, at any age and on a full disk", async (t) => {
  const { service, segments, disk } = cleaner();
  segments.delayed = 250;
  t.deepEqual(await service.run(true), { deletedSegments: 2 });
  t.is(service.delayedFrom, 250);
  disk.ratio = 0.95;
  t.deepEqual(await service.run(false), { deletedSegments: 0 });
  segments.delayed = 300;
  t.deepEqual(await service.run(false), { deletedSegments: 1 });
  segments.delayed = undefined;
  t.deepEqual(await service.run(false), { deletedSegments: 6 });
  t.is(service.delayedFrom, undefined);
});
