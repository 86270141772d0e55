import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, SCHEDULE_TOPIC, tagsCode } from "@millrace/format";
import test from "ava";
import { CONSUME_QUEUE_TAGS_CODE_OFFSET } from "#format/consume-queue-descriptor.js";
import { OpenStore } from "#store/open/open-store.js";
import { readUnits } from "../support/stored-queues.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";

const MESSAGES = 30;

test("hashes of tags that RocketMQ 4.9 leaves in the schedule queues become times again, and nothing is delivered early", async (t) => {
  const root = temporaryDirectory(t);
  const options = { storePathRootDir: root, messageDelayLevel: "1h", mappedFileSizeConsumeQueue: 10 * CONSUME_QUEUE_UNIT_LENGTH };
  const store = await openStore(t, options);
  for (let i = 0; i < MESSAGES; i++) await store.putMessage(message({ tags: "TagA", delayTimeLevel: 1 }));
  await store.close();
  const units = readUnits(root, SCHEDULE_TOPIC, 0);
  t.is(units.size, MESSAGES);
  for (const first of [12, 0]) {
    for (let unit = first; unit < MESSAGES; unit++) damage(root, unit);
    t.is(readUnits(root, SCHEDULE_TOPIC, 0).get(first)?.tagsCode, tagsCode("TagA"));
    const again = await openStore(t, options);
    t.deepEqual(again.recovery.dispatch.rebuiltQueues, [`${SCHEDULE_TOPIC}-0`]);
    t.is(again.getMaxOffsetInQueue("TopicA", 0), 0);
    t.is(again.stats().schedule.delivered, 0);
    await again.close();
    t.deepEqual(readUnits(root, SCHEDULE_TOPIC, 0), units);
  }
});

test("a message that was put straight into a schedule queue has the hash of its tag there, and is left alone", async (t) => {
  const options = { storePathRootDir: temporaryDirectory(t) };
  const store = await OpenStore.open({ ...options, mappedFileSizeCommitLog: SEGMENT_SIZE }, { kind: "real" });
  await store.put.putOwnMessage(message({ topic: SCHEDULE_TOPIC, tags: "TagA", queueId: 20 }));
  await store.close();
  const again = await openStore(t, options);
  t.deepEqual(again.recovery.dispatch.rebuiltQueues, []);
  t.is(readUnits(options.storePathRootDir, SCHEDULE_TOPIC, 20).get(0)?.tagsCode, tagsCode("TagA"));
  await again.close();
});

function damage(root: string, unit: number): void {
  const start = unit - (unit % 10);
  const path = join(root, "consumequeue", SCHEDULE_TOPIC, "0", String(start * CONSUME_QUEUE_UNIT_LENGTH).padStart(20, "0"));
  const bytes = readFileSync(path);
  bytes.writeBigInt64BE(BigInt(tagsCode("TagA")), (unit - start) * CONSUME_QUEUE_UNIT_LENGTH + CONSUME_QUEUE_TAGS_CODE_OFFSET);
  writeFileSync(path, bytes);
}
