import { mkdirSync, readdirSync } from "node:fs";
import type { Fault } from "@millrace/mapped-file";
import { ControlBlock, ServiceState } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { AllocateMappedFileService } from "#store/allocate/allocate-mapped-file-service.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { pipelineData } from "#store/pipeline/pipeline-data.js";
import { NO_EVENTS } from "../../../support/no-events.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { SEGMENT_SIZE } from "../../../support/temporary-store.js";

const START = {
  minOffset: 0,
  maxOffset: 0,
  lastStoreTimestamp: 0,
  reputFromOffset: 0,
  indexFromOffset: 0,
  deletedTopics: new Map(),
};

/** An allocator on this thread, and the appender's words, which say what it wants. */
function allocator(t: ExecutionContext, faults: readonly Fault[] = []) {
  const config = resolveConfig({
    storePathRootDir: temporaryDirectory(t),
    mappedFileSizeCommitLog: SEGMENT_SIZE,
    flushDiskType: "SYNC_FLUSH",
  });
  mkdirSync(config.storePathCommitLog);
  const data = pipelineData(config, { kind: "faulty", faults }, START);
  const { counters } = ControlBlock.attach(data.control, "append");
  const service = new AllocateMappedFileService(data, NO_EVENTS);
  return { service, counters, segments: () => readdirSync(config.storePathCommitLog).length };
}

/** Segments at a time ahead of an appender that has written nothing yet. */
function makeReady({ service, counters }: ReturnType<typeof allocator>, segments: number): void {
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
