import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isTopicLegal } from "@millrace/format";
import test from "ava";
import { storeOfFixtureInput } from "../support/fixture-input.js";
import { FIXTURE_STORES, passDelayedMessages } from "../support/fixture-store.js";
import { readLog } from "../support/stored-log.js";
import { readUnits } from "../support/stored-queues.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { message, openStore } from "../support/temporary-store.js";

/** Bytes of all ConsumeQueue files by `topic/queueId/name`, of the wanted topics. */
function queueFiles(root: string, isWanted: (topic: string) => boolean = () => true): Map<string, string> {
  const directory = join(root, "consumequeue");
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1)).sort();
  return new Map(
    paths
      .filter((path) => isWanted(path.slice(0, path.indexOf("/"))))
      .map((path) => [path, readFileSync(join(directory, path)).toString("hex")]),
  );
}

for (const fixture of FIXTURE_STORES) {
  const { name, version } = fixture;
  test.serial(`the log of ${name} is dispatched into the ConsumeQueues that RocketMQ made of it`, async (t) => {
    const root = join(memoryDirectory(t), "store");
    mkdirSync(root);
    cpSync(fixture.paths.commitLog, join(root, "commitlog"), { recursive: true });
    passDelayedMessages(root);
    const options = { storePathRootDir: root, mappedFileSizeCommitLog: 4096, maxMessageSize: 3000, messageIndexEnable: false };
    const store = await openStore(t, { ...options, mappedFileSizeConsumeQueue: 200 });
    await store.close();
    // Messages of 4.9.8 that were delayed come due in our store, and go to their own topic.
    const isTheirs = (topic: string): boolean => version === "5.3" || topic !== "TopicD";
    const expected = queueFiles(fixture.paths.root, isTheirs);
    t.true(expected.size >= 6);
    t.deepEqual(queueFiles(root, isTheirs), expected);
  });
}

for (const fixture of FIXTURE_STORES.filter(({ version }) => version === "5.3")) {
  const { name, appendPropertyCrc } = fixture;
  test.serial(
    `what ${name} was given becomes the same ConsumeQueues in our store (enabledAppendPropCRC=${appendPropertyCrc})`,
    async (t) => {
      const root = await storeOfFixtureInput(t, fixture);
      const expected = queueFiles(fixture.paths.root, (topic) => topic !== "TopicD" && isTopicLegal(topic) && topic.length < 128);
      t.is(expected.size, 5);
      t.deepEqual(
        queueFiles(root, (topic) => topic !== "filler"),
        expected,
      );
    },
  );
}

test.serial("delayed messages have the unit that RocketMQ 4.9.8 gives them: due so long after they were stored", async (t) => {
  const [fixture] = FIXTURE_STORES;
  const theirs = fixture?.paths.root ?? "";
  const store = await openStore(t, { mappedFileSizeConsumeQueue: 200, messageIndexEnable: false });
  for (const delayTimeLevel of [3, 99])
    await store.putMessage(message({ topic: "TopicD", queueId: 3, tags: "TagD", delayTimeLevel }));
  await store.close();
  const ours = store.config.storePathRootDir;
  for (const [queueId, delayMs] of [
    [2, 10_000],
    [17, 7_200_000],
  ] as const) {
    for (const root of [theirs, ours]) {
      const units = readUnits(root, "SCHEDULE_TOPIC_XXXX", queueId);
      t.deepEqual([...units.keys()], [0]);
      const unit = units.get(0);
      const record = readLog(root).messages.find(({ physicalOffset }) => physicalOffset === unit?.physicalOffset);
      t.is(record?.size, unit?.size);
      t.is((unit?.tagsCode ?? 0) - (record?.storeTimestamp ?? 0), delayMs);
    }
  }
});
