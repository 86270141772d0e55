import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import { queueColumns } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { ConsumerOffsets } from "#store/broker/consumer-offsets.js";
import { GroupLags } from "#store/broker/group-lags.js";
import { FollowedWords } from "#store/follow/followed-words.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const NEVER_MS = 0x7fffffff;

/** Topics T0, T1 … of as many queues each, from queue offset 10 to 100. */
function lagging(t: ExecutionContext, topics: number, queuesEach: number): { lags: GroupLags; offsets: ConsumerOffsets } {
  const words = new FollowedWords();
  for (let topic = 0; topic < topics; topic++) {
    for (let queueId = 0; queueId < queuesEach; queueId++)
      words.setQueue(words.topics.slot(words.topics.recovered(`T${topic}`), queueId), 10, 100, 100);
  }
  const offsets = ConsumerOffsets.open(createStorage({ kind: "real" }), join(temporaryDirectory(t), "offsets.json"), NEVER_MS);
  t.teardown(() => offsets.close().catch(() => {}));
  return { lags: new GroupLags(words.topics, queueColumns(words.queues, words.control)), offsets };
}

test("a group lags by what is there and not consumed, over its queues; queues that are gone count nothing", (t) => {
  const { lags, offsets } = lagging(t, 2, 2);
  t.deepEqual(lags.look(offsets), { groupCount: 0, groups: [] });
  offsets.commit("fast", "T0", 0, 99);
  offsets.commit("fast", "T1", 1, 100);
  offsets.commit("slow", "T0", 0, 3); // retention has taken 3 to 9
  offsets.commit("slow", "T0", 1, 60);
  offsets.commit("slow", "T0", 7, 0);
  offsets.commit("slow", "gone", 0, 0);
  const [fast, slow] = [
    { group: "fast", queues: 2, lag: 1 },
    { group: "slow", queues: 2, lag: 130 },
  ];
  t.deepEqual(lags.look(offsets), { groupCount: 2, groups: [slow, fast] });
  offsets.commit("slow", "T0", 0, 100);
  t.deepEqual(lags.look(offsets).groups, [{ ...slow, lag: 40 }, fast]);
  offsets.deleteGroup("slow");
  t.deepEqual(lags.look(offsets), { groupCount: 1, groups: [fast] });
});

test("thousands of queues and groups are looked at in turns of a bounded size, and all of them in time", (t) => {
  const [queuesEach, groups] = [50, 2500];
  const { lags, offsets } = lagging(t, 40, queuesEach);
  for (let group = 0; group < groups; group++) {
    for (let queueId = 0; queueId < queuesEach; queueId++) offsets.commit(`G${group}`, `T${group % 40}`, queueId, 99);
  }
  const [first, ...later] = Array.from({ length: 13 }, () => lags.look(offsets));
  t.is(first?.groupCount, groups);
  t.is(first?.groups.length, 200, "10,000 offsets of 50 each");
  t.is(later[0]?.groups.length, 400);
  t.is(later.at(-1)?.groups.length, 1000, "no more are shown");
  t.true(later.at(-1)?.groups.every(({ queues, lag }) => queues === queuesEach && lag === queuesEach));
  for (let queueId = 0; queueId < queuesEach; queueId++) offsets.commit("G2499", "T19", queueId, 0);
  const seen = Array.from({ length: 13 }, () => lags.look(offsets)).map(({ groups }) => groups[0]?.group);
  t.true(seen.includes("G2499"), "each has its turn");
  const before = process.cpuUsage();
  for (let look = 0; look < 100; look++) lags.look(offsets);
  const { user, system } = process.cpuUsage(before);
  t.log(`${((user + system) / 1000 / 100).toFixed(2)} ms of CPU a look`);
});
