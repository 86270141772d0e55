import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { fingerprint, recover } from "../support/log-directory.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const FIXTURES = join(import.meta.dirname, "..", "..", "fixtures");

/** What the Java store said about itself at the end of the run. */
function maxPhysicalOffset(name: string): number {
  const [, offset] = /^maxphy (\d+) /m.exec(readFileSync(join(FIXTURES, `${name}.out`), "utf8")) ?? [];
  return Number(offset);
}

/** Next queue offsets by the put results: `… cq=Q num=N …` of the last message of each queue. */
const TOPIC_A_QUEUES: Record<string, [string, number][]> = {
  "rocketmq-4.9.8": [
    ["TopicA-0", 5],
    ["TopicA-1", 1],
    ["TopicA-2", 2],
    ["TopicB-1", 3],
    ["SCHEDULE_TOPIC_XXXX-2", 1],
    ["SCHEDULE_TOPIC_XXXX-17", 1],
  ],
  "rocketmq-5.3.3": [
    ["TopicA-0", 5],
    ["TopicA-1", 1],
    ["TopicA-2", 2],
    ["TopicB-1", 3],
    ["TopicD-3", 2],
  ],
  "rocketmq-5.3.3-property-crc": [
    ["TopicA-0", 5],
    ["TopicA-1", 1],
    ["TopicA-2", 2],
    ["TopicB-1", 3],
    ["TopicD-3", 2],
  ],
};

for (const [name, queues] of Object.entries(TOPIC_A_QUEUES)) {
  for (const lastExitOk of [true, false]) {
    test(`the log of ${name} is recovered as Java left it, ${lastExitOk ? "closed cleanly" : "crashed"}`, async (t) => {
      const directory = temporaryDirectory(t);
      cpSync(join(FIXTURES, name, "commitlog"), directory, { recursive: true });
      const contents = fingerprint(directory).map((line) => line.slice(0, 61));
      const report = await recover(directory, { lastExitOk });
      t.is(report.maxOffset, maxPhysicalOffset(name));
      t.is(report.cut, undefined);
      for (const [queue, next] of queues) t.is(report.queueOffsets.get(queue), next, queue);
      t.deepEqual(
        fingerprint(directory).map((line) => line.slice(0, 61)),
        contents,
      );
    });
  }
}
