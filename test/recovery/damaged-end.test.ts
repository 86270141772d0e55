import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

const COUNT = 100;
const QUEUES = 2;
const SMALL = { maxHashSlotNum: 100, maxIndexNum: 400, mappedFileSizeCommitLog: SEGMENT_SIZE };

/** A closed store with messages 0 … 99 in two queues, in turn; where its last record begins, and ends. */
async function closedStore(t: ExecutionContext): Promise<{ root: string; last: number; end: number }> {
  const store = await openStore(t, SMALL);
  const puts = Array.from({ length: COUNT }, (_, n) => numbered(n, 64, { queueId: n % QUEUES, keys: `k${n}` }));
  const results = await Promise.all(puts.map((put) => store.putMessage(put)));
  const end = store.maxPhysicalOffset;
  await store.close();
  return { root: store.config.storePathRootDir, last: results.at(-1)?.appendResult?.wroteOffset ?? -1, end };
}

/** Overwrites the last bytes of the last record: some of its body, and its properties. */
function damageEnd(root: string, end: number): void {
  const path = join(root, "commitlog", "0".repeat(20));
  const content = readFileSync(path);
  writeFileSync(path, content.fill(0xff, end - 60, end));
}

function readable(store: MessageStore): number[] {
  return Array.from({ length: QUEUES }, (_, queueId) => {
    const numbers: number[] = [];
    for (let queueOffset = 0; queueOffset < store.getMaxOffsetInQueue("TopicA", queueId); ) {
      using found = store.getMessage({ topic: "TopicA", queueId, queueOffset });
      numbers.push(...found.messages.map(({ body }) => numberOf(body)));
      queueOffset = found.nextBeginOffset;
    }
    return numbers;
  })
    .flat()
    .sort((a, b) => a - b);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

for (const [exit, isCrashed] of [
  ["a clean exit", false],
  ["a crash", true],
] as const) {
  test.serial(
    `a log as RocketMQ leaves it, its end damaged, is cut to its last good record with its queues, after ${exit}`,
    async (t) => {
      const { root, last, end } = await closedStore(t);
      damageEnd(root, end);
      rmSync(join(root, "millrace.watermark"));
      if (isCrashed) writeFileSync(join(root, "abort"), "");
      const store = await openStore(t, { ...SMALL, storePathRootDir: root });
      t.is(store.recovery.lastExitOk, !isCrashed);
      t.is(store.maxPhysicalOffset, last);
      t.deepEqual([store.getMaxOffsetInQueue("TopicA", 0), store.getMaxOffsetInQueue("TopicA", 1)], [50, 49]);
      t.deepEqual(readable(store), upTo(COUNT - 1));
      t.is(store.queryMessage({ topic: "TopicA", key: "k99" }).messages.length, 0);
      const { appendResult } = await store.putMessage(numbered(99, 64, { queueId: 1, keys: "k99" }));
      t.deepEqual([appendResult?.wroteOffset, appendResult?.queueOffset], [last, 49]);
      await dispatchedAll(store);
      t.deepEqual(readable(store), upTo(COUNT));
      t.is(store.queryMessage({ topic: "TopicA", key: "k99" }).messages.length, 1);
    },
  );
}

test.serial("the same damage to what Millrace knows to be durable is refused, and an undamaged log is whole", async (t) => {
  const { root, last, end } = await closedStore(t);
  const again = await openStore(t, { ...SMALL, storePathRootDir: root });
  t.is(again.maxPhysicalOffset, end);
  t.deepEqual([again.getMaxOffsetInQueue("TopicA", 0), again.getMaxOffsetInQueue("TopicA", 1)], [50, 50]);
  t.deepEqual(readable(again), upTo(COUNT));
  await again.close();
  damageEnd(root, end);
  await t.throwsAsync(MessageStore.open({ ...SMALL, storePathRootDir: root }), {
    code: "ERR_COMMIT_LOG_CORRUPT",
    message: new RegExp(`offset=${last}\\b`),
  });
});
