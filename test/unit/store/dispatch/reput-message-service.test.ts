import { createStorage } from "@millrace/mapped-file";
import { ControlBlock, InvariantError } from "@millrace/shared-memory";
import test from "ava";
import type { ConsumeQueueForcer } from "#store/dispatch/consume-queue-forcer.js";
import { ReputMessageService } from "#store/dispatch/reput-message-service.js";
import { storeConfig } from "../../../support/clean-config.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { NO_EVENTS } from "../../../support/no-events.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const errors: Record<string, { error: Error; ends: boolean }> = {
  "a broken invariant": { error: new InvariantError("a queue offset went back"), ends: true },
  "a full disk": { error: Object.assign(new Error("no space"), { code: "ENOSPC" }), ends: false },
};

for (const [what, { error, ends }] of Object.entries(errors)) {
  test(`${what} in a dispatcher ${ends ? "ends the service" : "is counted, and the group is tried again later"}`, (t) => {
    const builder = new CommitLogBuilder();
    builder.add();
    const storePathCommitLog = temporaryDirectory(t);
    builder.write(storePathCommitLog);
    const control = ControlBlock.attach(ControlBlock.create({ wroteOffset: builder.offset }), "dispatch");
    const config = storeConfig({ storePathCommitLog, mappedFileSizeCommitLog: builder.segmentSize });
    const fails = {
      name: "fails",
      dispatch: () => {
        throw error;
      },
    };
    const forcer = { isForcing: false, flushAll: async () => {} } as unknown as ConsumeQueueForcer;
    const service = new ReputMessageService(control, createStorage({ kind: "real" }), config, [fails], forcer, NO_EVENTS);
    t.teardown(() => service.onClose());
    if (ends) t.throws(() => service.doWork(), { is: error });
    else t.is(service.doWork(), 0);
    t.is(control.counters.dispatchFailures.value, ends ? 0 : 1);
    t.is(control.counters.reputFromOffset.value, 0);
  });
}
