import { join } from "node:path";
import type { Fault } from "@millrace/mapped-file";
import type { ExecutionContext } from "ava";
import test from "ava";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { type QueueImage, queueImages, recoverQueues } from "../support/queue-directory.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** A queue of `count` records, and its ConsumeQueue in files of 10 units, of which the second refuses an operation. */
function make(t: ExecutionContext, count: number, operation: Fault["operation"] = "force") {
  const root = temporaryDirectory(t);
  const log = new CommitLogBuilder();
  for (let i = 0; i < count; i++) log.add({ topic: "TopicA", queueId: 0 });
  log.write(join(root, "commitlog"));
  const queue = queueImages(root, log).get("TopicA-0") as QueueImage;
  queue.write();
  const faults: Fault[] = [{ operation, path: queue.path(10), after: 0, code: "EIO" }];
  const offsetOf = (queueOffset: number): number => log.records[queueOffset]?.offset ?? -1;
  return { root, log, offsetOf, storage: { kind: "faulty", faults } as const };
}

const FAILED = { code: "ERR_CONSUME_QUEUE_UNWRITABLE", message: /reason=EIO$/ };

test("what is not durable for certain is forced; a force that fails ends the recovery", async (t) => {
  const { root, log, offsetOf, storage } = make(t, 30);
  await t.throwsAsync(recoverQueues(root, { storage }), FAILED);
  t.deepEqual((await recoverQueues(root, { storage, dispatchedOffset: log.offset })).rows, { intact: 1 });
  t.deepEqual((await recoverQueues(root, { storage, dispatchedOffset: offsetOf(20) })).rows, { intact: 1 });
  await t.throwsAsync(recoverQueues(root, { storage, dispatchedOffset: offsetOf(19) }), FAILED);
});

test("the last file is forced, full or not: no unit may ever come to the queue that makes it durable", async (t) => {
  for (const count of [10, 11, 20, 21]) {
    const { root, storage } = make(t, count);
    const recovered = recoverQueues(root, { storage });
    if (count === 10) t.deepEqual((await recovered).rows, { intact: 1 });
    else await t.throwsAsync(recovered, FAILED, `${count} units`);
  }
});

test("units behind the mark are written again before they are forced: an earlier force may have failed", async (t) => {
  const { root, offsetOf, storage } = make(t, 30, "write");
  const dispatchedOffset = offsetOf(19);
  t.deepEqual((await recoverQueues(root, { storage, dispatchedOffset })).rows, { intact: 1 });
  await t.throwsAsync(recoverQueues(root, { storage, dispatchedOffset, rewrites: true }), FAILED);
  t.deepEqual((await recoverQueues(root, { storage, dispatchedOffset: offsetOf(20), rewrites: true })).rows, { intact: 1 });
});
