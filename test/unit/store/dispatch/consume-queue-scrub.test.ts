import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { DispatchingStore } from "../../../support/dispatching-store.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { message, openStore, SEGMENT_SIZE } from "../../../support/temporary-store.js";

const MESSAGES = 20;

test("a topic that is deleted between two units of a scrub is no error, and its files do not come back", async (t) => {
  const options = { storePathRootDir: temporaryDirectory(t), mappedFileSizeCommitLog: SEGMENT_SIZE, messageIndexEnable: false };
  const store = await openStore(t, options);
  for (let n = 0; n < MESSAGES; n++) await store.putMessage(message());
  await store.close();
  const dispatching = await DispatchingStore.open(options);
  t.teardown(() => dispatching.abandon());
  const file = openSync(join(options.storePathRootDir, "consumequeue/TopicA/0", "0".repeat(20)), "r+");
  writeSync(file, Buffer.from([0, 0, 0, 0, 0, 0, 0x12, 0x34]), 0, 8, 0);
  closeSync(file);
  const events: unknown[] = [];
  let isDeleted = false;
  const scrub = dispatching.scrubWith({ emit: (...event) => events.push(event) }, () => {
    if (!isDeleted) t.is(dispatching.deleteTopic("TopicA", store.maxPhysicalOffset), undefined);
    isDeleted = true;
    return 0;
  });
  for (let isDone = false; !isDone; ) ({ isDone } = scrub.scrubConsumeQueues());
  t.true(isDeleted);
  t.deepEqual(events, []);
});
