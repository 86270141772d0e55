import { join } from "node:path";
import test from "ava";
import type { LogQueue } from "#store/recover/scan/log-queue.js";
import { type BuiltRecord, CommitLogBuilder } from "../support/commit-log-builder.js";
import { recover, SIZE } from "../support/log-directory.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** What recovery says of TopicA-0, in a log that rolls a segment wherever `null` stands and otherwise has these queue offsets. */
async function queueOf(
  directory: string,
  queueOffsets: readonly (number | null)[],
  options: (records: readonly BuiltRecord[]) => Parameters<typeof recover>[1] = () => ({}),
): Promise<{ queue: LogQueue | undefined; at: (index: number) => number }> {
  const log = new CommitLogBuilder();
  for (const queueOffset of queueOffsets) {
    if (queueOffset === null) log.roll();
    else log.add({ queueOffset });
  }
  log.write(directory);
  const { logQueues } = await recover(directory, options(log.records));
  return { queue: logQueues.get("TopicA-0"), at: (index) => log.records[index]?.offset ?? -1 };
}

test("the first, next and last record of a queue are those of all segments together", async (t) => {
  for (const offsets of [
    [5, 6, 7, 8],
    [5, null, 6, null, 7, 8],
    [5, 6, null, 7, null, 8, null],
  ]) {
    const { queue, at } = await queueOf(join(temporaryDirectory(t), "commitlog"), offsets);
    const expected = { firstQueueOffset: 5, firstPhysicalOffset: at(0), nextQueueOffset: 9, lastPhysicalOffset: at(3) };
    t.deepEqual(queue, { ...expected, newQueueOffset: -1, newPhysicalOffset: -1, restart: undefined });
  }
});

test("the first record behind what was dispatched durably is told, whichever segment it is in", async (t) => {
  for (const offsets of [
    [0, 1, 2, 3],
    [0, null, 1, 2, null, 3],
    [0, 1, null, 2, 3],
  ]) {
    for (const index of [0, 1, 2, 3]) {
      const options = (records: readonly BuiltRecord[]) => ({
        dispatchedOffset: (records[index]?.offset ?? 0) - (index === 0 ? 0 : 1),
      });
      const { queue, at } = await queueOf(join(temporaryDirectory(t), "commitlog"), offsets, options);
      t.like(queue, { newQueueOffset: index, newPhysicalOffset: at(index) }, JSON.stringify([offsets, index]));
    }
  }
});

test("a queue that begins again is told as both, what it was and what it is", async (t) => {
  for (const offsets of [
    [3, 4, 5, 0, 1],
    [3, 4, 5, null, 0, 1],
    [3, null, 4, 5, null, 0, null, 1],
    [3, 4, 5, 0, null, 1],
  ]) {
    const { queue, at } = await queueOf(join(temporaryDirectory(t), "commitlog"), offsets);
    t.like(queue, { firstQueueOffset: 3, nextQueueOffset: 6, lastPhysicalOffset: at(2) });
    const restart = { firstQueueOffset: 0, firstPhysicalOffset: at(3), nextQueueOffset: 2, lastPhysicalOffset: at(4) };
    t.deepEqual(queue?.restart, restart, JSON.stringify(offsets));
  }
});

test("of two new beginnings the later one counts, and an offset that comes twice is none", async (t) => {
  for (const offsets of [
    [0, 1, 0, 0, 1],
    [0, 1, null, 0, null, 0, null, 1],
  ]) {
    const { queue, at } = await queueOf(join(temporaryDirectory(t), "commitlog"), offsets);
    t.like(queue?.restart, { firstPhysicalOffset: at(3), nextQueueOffset: 2, lastPhysicalOffset: at(4) });
  }
  const { queue, at } = await queueOf(join(temporaryDirectory(t), "commitlog"), [4, 5, 5, null, 5, 6]);
  t.like(queue, { nextQueueOffset: 7, lastPhysicalOffset: at(4), restart: undefined });
});

test("records of a deleted topic do not count, those behind its deletion do", async (t) => {
  const below = (offset: number) => () => ({ deletedTopics: new Map([["TopicA", offset]]) });
  const directory = join(temporaryDirectory(t), "commitlog");
  const { at } = await queueOf(directory, [0, 1, 2, null, 0, 1]);
  t.is((await queueOf(directory, [0, 1, 2, null, 0, 1], below(2 * SIZE))).queue, undefined);
  const { queue } = await queueOf(directory, [0, 1, 2, null, 0, 1], below(at(3)));
  t.like(queue, { firstQueueOffset: 0, firstPhysicalOffset: at(3), nextQueueOffset: 2, restart: undefined });
});
