import { closeSync, openSync, readdirSync, statSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { type DispatchedMark, readDispatchedMark, writeDispatchedMark } from "#store/marks/dispatched-mark.js";
import { messagesOf } from "../support/stored-messages.js";
import { numbered, numberOf, openStore } from "../support/temporary-store.js";
import { dispatchedAll } from "../support/until.js";

const SEGMENT = 4096;
const COUNT = 5;

function open(t: ExecutionContext, options: Partial<MessageStoreOptions> = {}): Promise<MessageStore> {
  return openStore(t, {
    mappedFileSizeCommitLog: SEGMENT,
    mappedFileSizeConsumeQueue: 20 * CONSUME_QUEUE_UNIT_LENGTH,
    messageIndexEnable: false,
    fileReservedTime: 1,
    deleteCommitLogFilesInterval: 0,
    deleteConsumeQueueFilesInterval: 0,
    ...options,
  });
}

async function put(store: MessageStore, topic: string, n: number): Promise<number | undefined> {
  return (await store.putMessage(numbered(n, 1000, { topic }))).appendResult?.queueOffset;
}

/** Zeros the last unit of TopicA; the disk itself changes no time of a file. */
function zeroLast(root: string, keepsTime: boolean): void {
  const path = join(root, "consumequeue", "TopicA", "0", "0".repeat(20));
  const { atime, mtime } = statSync(path);
  const file = openSync(path, "r+");
  writeSync(file, new Uint8Array(CONSUME_QUEUE_UNIT_LENGTH), 0, CONSUME_QUEUE_UNIT_LENGTH, (COUNT - 1) * CONSUME_QUEUE_UNIT_LENGTH);
  closeSync(file);
  if (keepsTime) utimesSync(path, atime, mtime);
}

/** A closed store of which the log has no record of TopicA any more. */
async function expiredStore(t: ExecutionContext): Promise<string> {
  const store = await open(t);
  const { storePathRootDir, storePathCommitLog } = store.config;
  for (let n = 0; n < COUNT; n++) await put(store, "TopicA", n);
  for (let n = 0; n < 3 * COUNT; n++) await put(store, "TopicB", n);
  await dispatchedAll(store);
  await store.flush();
  const old = Date.now() / 1000 - 3700;
  for (const name of readdirSync(storePathCommitLog).sort().slice(0, 3)) utimesSync(join(storePathCommitLog, name), old, old);
  await store.deleteExpiredFiles();
  t.is(store.getMinOffsetInQueue("TopicA", 0), COUNT);
  await store.close();
  return storePathRootDir;
}

for (const wasKilled of [false, true]) {
  for (const keepsTime of [false, true]) {
    const how = `${wasKilled ? "a kill" : "a clean end"}, ${keepsTime ? "by the disk" : "by somebody"}`;
    test.serial(`a last unit that was zeroed after ${how}, is built again from its record`, async (t) => {
      const store = await open(t);
      const { storePathRootDir } = store.config;
      for (let n = 0; n < COUNT; n++) await put(store, "TopicA", n);
      await store.close();
      if (wasKilled) writeFileSync(join(storePathRootDir, "abort"), "");
      zeroLast(storePathRootDir, keepsTime);
      const again = await open(t, { storePathRootDir });
      await dispatchedAll(again);
      t.is(await put(again, "TopicA", COUNT), COUNT);
      await dispatchedAll(again);
      const found = messagesOf(again).map(({ queueOffset, body }) => [queueOffset, numberOf(body)]);
      t.deepEqual(
        found,
        Array.from({ length: COUNT + 1 }, (_, n) => [n, n]),
      );
    });

    test.serial(`a last unit that was zeroed after ${how}, costs no queue offset although its record has expired`, async (t) => {
      const storePathRootDir = await expiredStore(t);
      if (wasKilled) writeFileSync(join(storePathRootDir, "abort"), "");
      zeroLast(storePathRootDir, keepsTime);
      for (let n = COUNT; n < COUNT + 3; n++) {
        const again = await open(t, { storePathRootDir });
        t.is(await put(again, "TopicA", n), n);
        await again.close();
      }
    });
  }
}

const UNSURE: Record<string, (root: string) => void> = {
  "a broker has started since": (root) => writeFileSync(join(root, "lock"), "lock", { flag: "r+" }),
  "the log ends before what was dispatched": (root) => {
    const storage = createStorage({ kind: "real" });
    const { dispatchedMark } = storePaths(root);
    const mark = readDispatchedMark(storage, dispatchedMark) as DispatchedMark;
    writeDispatchedMark(storage, dispatchedMark, { ...mark, dispatchedOffset: mark.dispatchedOffset + 1000 });
  },
};
for (const [why, happen] of Object.entries(UNSURE)) {
  test.serial(`what is noted of a queue makes no units of zeros when ${why}`, async (t) => {
    const storePathRootDir = await expiredStore(t);
    zeroLast(storePathRootDir, true);
    happen(storePathRootDir);
    const again = await open(t, { storePathRootDir });
    t.is(await put(again, "TopicA", COUNT), COUNT - 1);
  });
}
