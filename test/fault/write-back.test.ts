import type { Fault, StorageSpec } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { openOn } from "#store/message-store.js";
import { FailingDisk } from "../support/failing-disk.js";
import { PATIENCE } from "../support/patience.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, outcomes } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const FENCED = { code: "ERR_STORE_FENCED", outcome: "unknown" };
const SEGMENT_SIZE = 64 * KIB;

async function openOnDisk(t: ExecutionContext, spec: StorageSpec, options: MessageStoreOptions): Promise<MessageStore> {
  // Small files: the disk compares whole ones.
  const small = { mappedFileSizeCommitLog: SEGMENT_SIZE, mappedFileSizeConsumeQueue: 20 * KIB, messageIndexEnable: false };
  const store = await openOn({ storePathRootDir: memoryDirectory(t), ...PATIENCE, ...small, ...options }, spec);
  t.teardown(() => store.close().catch(() => {}));
  return store;
}

/** The disk refuses the marker, after a long while. */
const MARKER_MS = 3000;
const SLOW_MARKER: Fault = { operation: "open", path: "fence", after: 0, code: "EROFS", delayMs: MARKER_MS };

/** Puts in SYNC_FLUSH until some are refused. Returns the ends of those that were answered PUT_OK. */
async function putUntilRefused(store: MessageStore, group: number): Promise<number[]> {
  const ends: number[] = [];
  for (let round = 0; round < 400; round++) {
    const settled = await outcomes(Array.from({ length: group }, (_, n) => store.putMessage(numbered(n, 1000))));
    for (const outcome of settled) {
      if (!("appendResult" in outcome) || outcome.status !== "PUT_OK") continue;
      ends.push(outcome.appendResult.wroteOffset + outcome.appendResult.wroteBytes);
    }
    if (settled.some((outcome) => "code" in outcome)) return ends;
  }
  return ends;
}

for (const group of [1, 200]) {
  for (const after of [2, 9]) {
    test.serial(
      `SYNC_FLUSH, ${group} at a time: when write-back ${after + 1} of the log fails, all that was acknowledged is on the disk`,
      async (t) => {
        const disk = new FailingDisk(t, [{ path: "commitlog/", after, code: "EIO" }], [{ ...SLOW_MARKER, delayMs: 300 }]);
        const store = await openOnDisk(t, disk.spec, { flushDiskType: "SYNC_FLUSH" });
        const ends = await putUntilRefused(store, group);
        t.is(store.stats().state, "fenced");
        await t.throwsAsync(store.close(), { code: "ERR_STORE_FENCED" });
        disk.remount();
        const { storePathRootDir } = store.config;
        const reopened = await openOnDisk(t, { kind: "real" }, { storePathRootDir, flushDiskType: "SYNC_FLUSH" });
        t.true(reopened.maxPhysicalOffset >= (ends.at(-1) ?? 0), `end=${reopened.maxPhysicalOffset} acknowledged=${ends.at(-1)}`);
      },
    );
  }
}

for (const flushDiskType of ["SYNC_FLUSH", "ASYNC_FLUSH"] as const) {
  test.serial(
    `${flushDiskType}: pending puts are answered before the marker is written, and none is acknowledged after`,
    async (t) => {
      const disk = new FailingDisk(t, [{ path: "commitlog/", after: -1, code: "EIO" }], [SLOW_MARKER]);
      const store = await openOnDisk(t, disk.spec, { flushDiskType, flushIntervalCommitLog: 1, flushCommitLogLeastPages: 0 });
      for (let n = 0; n < 3; n++) t.is((await store.putMessage(numbered(n))).status, "PUT_OK");
      disk.arm();
      const began = performance.now();
      let refusedAt = 0;
      let acknowledgedAt = 0;
      await until(async () => {
        const [outcome] = await outcomes([store.putMessage(numbered(9))]);
        if ("code" in (outcome as object)) refusedAt ||= performance.now();
        else acknowledgedAt = performance.now();
        return refusedAt > 0 && performance.now() - refusedAt > 100;
      });
      t.deepEqual(await outcomes([store.putMessage(numbered(9))]), [FENCED]);
      t.true(refusedAt - began < MARKER_MS, `ms=${refusedAt - began}`);
      t.true(acknowledgedAt < refusedAt);
    },
  );
}
