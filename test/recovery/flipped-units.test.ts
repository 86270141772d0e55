import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, segmentFileName } from "@millrace/format";
import test from "ava";
import { DispatchingStore } from "../support/dispatching-store.js";
import { flipBit } from "../support/flip-bit.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";

const UNITS = 10;
const MESSAGES = 25;
const OPTIONS = { mappedFileSizeConsumeQueue: UNITS * CONSUME_QUEUE_UNIT_LENGTH, messageIndexEnable: false };

function pathOf(root: string, unit: number): string {
  return join(root, "consumequeue", "TopicA", "0", segmentFileName((unit - (unit % UNITS)) * CONSUME_QUEUE_UNIT_LENGTH));
}

function flip(path: string, bit: number): void {
  flipBit(path, bit >> 3, bit & 7);
}

test("a flipped bit of a unit, of its tags code too, is found when the store opens, and the queue is as it was", async (t) => {
  const root = temporaryDirectory(t);
  const options = { storePathRootDir: root, ...OPTIONS };
  const store = await openStore(t, options);
  for (let n = 0; n < MESSAGES; n++) await store.putMessage(message({ tags: `Tag${n}` }));
  await store.close();
  const good = [0, 10, 20].map((unit) => readFileSync(pathOf(root, unit)));
  for (const [unit, bit] of [
    [0, 60],

    [9, 120],
    [10, 159],
    [14, 97],

    [22, 158],
    [24, 159],
  ] as const) {
    flip(pathOf(root, unit), (unit % UNITS) * CONSUME_QUEUE_UNIT_LENGTH * 8 + bit);
    const again = await DispatchingStore.open({ mappedFileSizeCommitLog: SEGMENT_SIZE, ...options });
    t.deepEqual(again.directory.recovery.dispatch.rebuiltQueues, ["TopicA-0"], `unit=${unit} bit=${bit}`);
    again.dispatchTo(again.directory.recovery.maxOffset, []);
    using found = again.reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset: unit, filter: { tags: [`Tag${unit}`] } });
    t.is(found.messages[0]?.queueOffset, unit);
    await again.closeWell();
    t.deepEqual(
      [0, 10, 20].map((first) => readFileSync(pathOf(root, first))),
      good,
    );
  }
});

test("a damaged file of checksums costs nothing but the comparison, and is written again", async (t) => {
  const root = temporaryDirectory(t);
  const options = { storePathRootDir: root, ...OPTIONS };
  const path = join(root, "millrace.queueChecksums");
  for (const damage of [() => {}, () => flip(path, 200), () => writeFileSync(path, "")]) {
    damage();
    const store = await openStore(t, options);
    t.deepEqual(store.recovery.dispatch.rebuiltQueues, []);
    for (let n = 0; n < 7; n++) await store.putMessage(message({ tags: `Tag${n}` }));
    await store.close();
  }
  flip(pathOf(root, 20), 8 * CONSUME_QUEUE_UNIT_LENGTH - 1);
  const store = await openStore(t, options);
  t.deepEqual(store.recovery.dispatch.rebuiltQueues, ["TopicA-0"]);
});
