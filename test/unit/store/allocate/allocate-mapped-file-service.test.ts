import { readdirSync } from "node:fs";
import type { Fault } from "@millrace/mapped-file";
import { ServiceState } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { AllocateMappedFileService } from "#store/allocate/allocate-mapped-file-service.js";
import { NO_EVENTS } from "../../../support/no-events.js";
import { emptyPipelineData, wordsOf } from "../../../support/pipeline-on-this-thread.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { SEGMENT_SIZE } from "../../../support/temporary-store.js";

/** An allocator on this thread, and the appender's words, which say what it wants. */
function allocator(t: ExecutionContext, faults: readonly Fault[] = []) {
  const options = { storePathRootDir: temporaryDirectory(t), mappedFileSizeCommitLog: SEGMENT_SIZE };
  const data = emptyPipelineData({ ...options, flushDiskType: "SYNC_FLUSH" }, { kind: "faulty", faults });
  const { counters } = wordsOf(data, "append");
  const flusher = wordsOf(data, "flush").counters;
  const service = new AllocateMappedFileService(data, NO_EVENTS);
  return { service, counters, flusher, segments: () => readdirSync(data.config.storePathCommitLog).length };
}

/** Segments at a time ahead of an appender that has written nothing yet. */
function makeReady({ service, counters, flusher }: ReturnType<typeof allocator>, segments: number): void {
  flusher.forceOpenOffset.set(segments * SEGMENT_SIZE);
  counters.segmentWantedOffset.set(segments * SEGMENT_SIZE);
  while (service.doWork() !== 0) {}
}

const ends: { name: string; appendState: number; left: number }[] = [
  { name: "after the appender has ended, what it has not reached is deleted", appendState: ServiceState.stopped, left: 1 },
  { name: "while the appender goes on, nothing is deleted", appendState: ServiceState.running, left: 3 },
  {
    name: "after an appender that died, nothing is deleted: main may have answered what it has not published",
    appendState: ServiceState.failed,
    left: 3,
  },
];
for (const { name, appendState, left } of ends) {
  test(`stopped in order: ${name}`, (t) => {
    const allocated = allocator(t);
    makeReady(allocated, 3);
    allocated.counters.appendState.set(appendState);
    allocated.service.onStop();
    allocated.service.onClose();
    t.is(allocated.segments(), left);
  });
}

test("an allocator that dies deletes nothing: appender and flusher go on in what it has made ready", (t) => {
  const allocated = allocator(t, [{ operation: "force", path: "commitlog", after: 2, code: "EIO" }]);
  t.throws(() => makeReady(allocated, 3), { code: "ERR_FORCE_FAILED" });
  allocated.counters.wroteOffset.set(100);
  allocated.service.onClose();
  t.is(allocated.segments(), 3);
});

test("a segment that the flusher has not opened gets no ready bytes", (t) => {
  const { service, counters, flusher, segments } = allocator(t);
  const { allocatedOffset, createdOffset } = service.control.counters;
  counters.segmentWantedOffset.set(SEGMENT_SIZE);
  t.is(service.doWork(), 0);
  t.is(createdOffset.value, SEGMENT_SIZE);
  t.is(segments(), 1);
  t.is(allocatedOffset.value, 0);
  flusher.forceOpenOffset.set(SEGMENT_SIZE);
  t.is(service.doWork(), 1);
  t.is(allocatedOffset.value, SEGMENT_SIZE);
  service.onClose();
});

for (const [code, isFinal] of [
  ["EIO", true],
  ["ENOSPC", false],
] as const) {
  const what = isFinal ? "ends the allocator: no other descriptor is asked" : "is counted, and tried again";
  test(`${code} of the directory's fsync ${what}`, (t) => {
    const allocated = allocator(t, [{ operation: "syncDirectory", path: "commitlog", after: 0, times: 1, code }]);
    if (isFinal) t.throws(() => makeReady(allocated, 1), { code: "ERR_FORCE_FAILED" });
    else makeReady(allocated, 1);
    const { allocatedOffset, allocateFailures } = allocated.service.control.counters;
    t.is(allocatedOffset.value, 0);
    t.is(allocateFailures.value, isFinal ? 0 : 1);
    t.is(allocated.service.control.forceAlarm.isRaised, isFinal);
    allocated.service.onClose();
  });
}
