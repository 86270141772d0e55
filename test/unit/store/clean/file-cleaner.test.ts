import { setImmediate } from "node:timers/promises";
import { SYSTEM_CLOCK } from "@millrace/shared-memory";
import type { MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { FileCleaner } from "#store/clean/file-cleaner.js";
import type { ExpiredDeletion } from "#store/pipeline/controls.js";
import { storeConfig } from "../../../support/clean-config.js";
import { NO_EVENTS } from "../../../support/no-events.js";
import { SegmentsOfTest } from "../../../support/segments-of-test.js";
import { until } from "../../../support/until.js";

interface Surroundings {
  readonly service: FileCleaner;
  readonly segments: SegmentsOfTest;
  /** What the dispatch thread was asked for, and what it answers. */
  readonly asked: number[];
  readonly slices: (ExpiredDeletion | Error)[];
  readonly disk: { ratio: number; isFull: boolean; looks: number };
}

const DONE: ExpiredDeletion = { deletedFiles: 0, isDone: true };

function surroundings(t: ExecutionContext, options: MessageStoreOptions = {}): Surroundings {
  const segments = new SegmentsOfTest(0);
  const asked: number[] = [];
  const slices: (ExpiredDeletion | Error)[] = [];
  const disk = { ratio: 0.8, isFull: false, looks: 0 };
  const config = storeConfig({
    deleteCommitLogFilesInterval: 0,
    deleteConsumeQueueFilesInterval: 0,
    cleanResourceInterval: 5,
    ...options,
  });
  const service = new FileCleaner(config, {
    events: NO_EVENTS,
    segments,
    deleteExpired: async (minOffset) => {
      asked.push(minOffset);
      const slice = slices.shift() ?? DONE;
      if (slice instanceof Error) throw slice;
      return slice;
    },
    onExpired: () => {},
    measureDisk: () => {
      disk.looks++;
      return { commitLogDiskRatio: disk.ratio, consumeQueueDiskRatio: -1 };
    },
    onDiskFull: (isFull) => {
      disk.isFull = isFull;
    },
    clock: SYSTEM_CLOCK,
  });
  t.teardown(() => service.close());
  return { service, segments, asked, slices, disk };
}

test("it cleans in rounds, a batch in each, and does not end with a round that fails", async (t) => {
  const { service, segments, slices } = surroundings(t, { deleteFileBatchMax: 2 });
  slices.push(new Error("ERR_SERVICE_ENDED"));
  service.start(1);
  await until(() => segments.deleted.length === 9);
  t.like(service.stats(), { deletedSegments: 9, failure: undefined });
  segments.failure = "EIO";
  segments.limitOffset += 100;
  await until(() => service.stats().failure !== undefined);
  t.like(service.stats(), { failure: "EIO", held: { endOffset: 1000 } });
});

test("the disk is looked at when it starts, and goes on being looked at while a deletion lasts", async (t) => {
  const { service, disk, segments } = surroundings(t);
  let finish = (): void => {};
  segments.retireBelow = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  disk.ratio = 0.95;
  service.start(1);
  t.true(disk.isFull);
  await until(() => disk.looks > 10);
  t.deepEqual(segments.deleted, []);
  disk.ratio = 0.5;
  await until(() => !disk.isFull);
  finish();
});

test("ConsumeQueues follow slice by slice, once for each new front of the log, and again after a failure", async (t) => {
  const { service, asked, slices } = surroundings(t);
  slices.push(
    { deletedFiles: 2, isDone: false },
    { deletedFiles: 0, isDone: false },
    { deletedFiles: 1, isDone: true, failure: "EIO" },
  );
  t.like(await service.deleteExpiredFiles(), { deletedSegments: 9, deletedConsumeQueueFiles: 3, failure: "EIO" });
  t.deepEqual(asked, [900, 900, 900]);
  t.like(await service.deleteExpiredFiles(), { deletedConsumeQueueFiles: 0, failure: undefined });
  t.deepEqual(asked, [900, 900, 900, 900]);
  await service.deleteExpiredFiles();
  t.is(asked.length, 4);
});

test("deletions follow one another, whatever becomes of them; after a close there are none", async (t) => {
  const { service } = surroundings(t);
  const order: string[] = [];
  let finish = (): void => {};
  const slow = service.oneAtATime(async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    order.push("slow");
    throw new Error("it failed");
  });
  const next = service.oneAtATime(async () => order.push("next"));
  await setImmediate();
  t.deepEqual(order, [], "the next one waits");
  finish();
  await t.throwsAsync(slow);
  await next;
  t.deepEqual(order, ["slow", "next"]);
  await service.close();
  await service.close();
  await t.throwsAsync(service.deleteExpiredFiles(), { code: "ERR_STORE_CLOSED" });
});

test("of a store that follows nobody, only looked after, nothing is deleted until somebody asks; its disk is looked at", async (t) => {
  const { service, disk, segments } = surroundings(t, { brokerRole: "SLAVE", haMasterAddress: "none" });
  service.start(1);
  await until(() => disk.looks > 10);
  t.deepEqual(segments.deleted, []);
  t.is((await service.deleteExpiredFiles()).deletedSegments, 9);
});
