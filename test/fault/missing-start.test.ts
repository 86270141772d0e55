import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

const SIZE = 4096;
const COUNT = 30;
/** Three records fill a segment; everything expires at once. */
const OPTIONS: MessageStoreOptions = {
  mappedFileSizeCommitLog: SIZE,
  fileReservedTime: 0,
  deleteCommitLogFilesInterval: 0,
  deleteConsumeQueueFilesInterval: 0,
};
const MISSING = { code: "ERR_SEGMENT_GAP", message: /the first segments are missing/ };

async function openAt(t: ExecutionContext, root: string, faults: readonly Fault[] = []): Promise<MessageStore> {
  return await openStore(t, { ...OPTIONS, storePathRootDir: root }, faults);
}

/** A closed store with ten segments. */
async function closedStore(t: ExecutionContext): Promise<string> {
  const root = temporaryDirectory(t);
  const store = await openAt(t, root);
  await Promise.all(Array.from({ length: COUNT }, (_, n) => store.putMessage(numbered(n, 1100))));
  await store.close();
  return root;
}

function segmentOf(root: string, offset: number): string {
  return join(root, "commitlog", segmentFileName(offset));
}

test("a log whose first segment is lost is refused, and opens when it is back, or when the mark is gone", async (t) => {
  const root = await closedStore(t);
  renameSync(segmentOf(root, 0), join(root, "away"));
  await t.throwsAsync(openAt(t, root), MISSING);
  renameSync(join(root, "away"), segmentOf(root, 0));
  const whole = await openAt(t, root);
  t.like(whole.recovery, { minOffset: 0, messages: COUNT, deletedByOthers: undefined });
  await whole.close();
  rmSync(segmentOf(root, 0));
  rmSync(join(root, "millrace.logStart"));
  const rest = await openAt(t, root);
  t.like(rest.recovery, { minOffset: SIZE, deletedByOthers: undefined });
  await rest.close();
  rmSync(segmentOf(root, SIZE));
  await t.throwsAsync(openAt(t, root), MISSING);
});

test("what retention has deleted is not missing, nor is anything wrong when it was cut off before a file went", async (t) => {
  const root = await closedStore(t);
  const first = await openAt(t, root, [{ operation: "remove", path: segmentFileName(2 * SIZE), after: 0, code: "EIO" }]);
  await dispatchedAll(first);
  const { failure, minOffset } = await first.deleteExpiredFiles();
  t.regex(failure ?? "", /EIO/);
  t.true(minOffset > 2 * SIZE && !existsSync(segmentOf(root, SIZE)) && existsSync(segmentOf(root, 2 * SIZE)));
  await first.close().catch(() => {});
  const second = await openAt(t, root);
  t.is(second.recovery.minOffset, 2 * SIZE);
  await dispatchedAll(second);
  const report = await second.deleteExpiredFiles();
  t.is(report.failure, undefined);
  await second.close();
  const third = await openAt(t, root);
  t.like(third.recovery, { minOffset: report.minOffset, deletedByOthers: undefined });
  await third.close();
});

test("what a broker's retention has deleted is told, and not refused", async (t) => {
  const root = await closedStore(t);
  writeFileSync(join(root, "lock"), "lock"); // as a broker does when it starts
  rmSync(segmentOf(root, 0));
  const store = await openAt(t, root);
  t.like(store.recovery, { minOffset: SIZE, deletedByOthers: 0 });
  await store.close();
  const again = await openAt(t, root);
  t.is(again.recovery.deletedByOthers, undefined);
});

test("a full disk has no room for the mark, and retention frees it all the same", async (t) => {
  const root = await closedStore(t);
  const store = await openAt(t, root, [{ operation: "write", path: "millrace.logStart", after: 0, code: "ENOSPC" }]);
  await dispatchedAll(store);
  const { deletedSegments, failure, minOffset } = await store.deleteExpiredFiles();
  t.true(deletedSegments > 0);
  t.is(failure, undefined);
  await store.close();
  const again = await openAt(t, root);
  t.like(again.recovery, { minOffset, deletedByOthers: undefined });
});
