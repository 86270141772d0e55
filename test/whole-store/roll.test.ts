import { readFileSync } from "node:fs";
import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { STORE_TIMESTAMP_OFFSET } from "#format/message-descriptor.js";
import { readLog, readSegments } from "../support/stored-log.js";
import { KIB, numbered, openStore } from "../support/temporary-store.js";

const SIZE = 16 * KIB;
const MESSAGES = 400;

const modes: Record<string, MessageStoreOptions> = {
  mapped: {},
  "SYNC_FLUSH, mapped": { flushDiskType: "SYNC_FLUSH" },
  writeWithoutMmap: { writeWithoutMmap: true },
  "SYNC_FLUSH, writeWithoutMmap": { flushDiskType: "SYNC_FLUSH", writeWithoutMmap: true },
  transientStorePoolEnable: { transientStorePoolEnable: true, transientStorePoolSize: 3, commitIntervalCommitLog: 5 },
  warmMapedFileEnable: { warmMapedFileEnable: true },
};

/** All segments in one, without what depends on the clock. */
function timelessBytes(root: string): string {
  const log = readLog(root);
  const bytes = Buffer.concat(readSegments(root).map((segment) => segment.bytes));
  for (const { physicalOffset } of log.messages)
    bytes.fill(0, physicalOffset + STORE_TIMESTAMP_OFFSET, physicalOffset + STORE_TIMESTAMP_OFFSET + 8);
  return bytes.toString("latin1");
}

test("every append mode writes the same bytes, blank records included, and rolls at the same places", async (t) => {
  const written = new Map<string, string>();
  for (const [mode, options] of Object.entries(modes)) {
    const store = await openStore(t, { mappedFileSizeCommitLog: SIZE, enabledAppendPropCRC: false, ...options });
    const puts = Array.from({ length: MESSAGES }, (_, n) =>
      store.putMessage(numbered(n, 40 + ((n * 37) % 500), { queueId: n % 3, bornTimestamp: n })),
    );
    const results = await Promise.all(puts);
    t.true(
      results.every(({ status }) => status === "PUT_OK"),
      mode,
    );
    const { rolls } = store.stats().append;
    await store.close();
    const root = store.config.storePathRootDir;
    const log = readLog(root);
    t.is(log.messages.length, MESSAGES, mode);
    t.is(log.blanks.size, rolls, mode);
    t.true(rolls >= 6, mode);
    for (const [offset, length] of log.blanks) t.is((offset + length) % SIZE, 0, mode);
    t.deepEqual(
      results.map(({ appendResult }) => appendResult?.wroteOffset),
      log.messages.map(({ physicalOffset }) => physicalOffset),
      mode,
    );
    t.true(log.zerosBehind, mode);
    written.set(mode, timelessBytes(root));
  }
  const [first] = written.values();
  for (const [mode, bytes] of written) t.true(bytes === first, mode);
});

test("queue offsets go on after reopening, for every topic and queue, dashes in names included", async (t) => {
  const queues = [
    ["a", 1],
    ["a-1", 0],
    ["a-1", 1],
    ["a-1-0", 11],
    ["-", 2],
    ["%RETRY%a-1", 0],
  ] as const;
  const first = await openStore(t, { mappedFileSizeCommitLog: SIZE });
  const root = first.config.storePathRootDir;
  for (const [i, [topic, queueId]] of queues.entries()) {
    for (let n = 0; n <= i * 7; n++) await first.putMessage(numbered(n, 100, { topic, queueId }));
  }
  await first.close();
  for (const more of [0, 1]) {
    const store = await openStore(t, { storePathRootDir: root, mappedFileSizeCommitLog: SIZE });
    for (const [i, [topic, queueId]] of queues.entries()) {
      const { appendResult } = await store.putMessage(numbered(0, 100, { topic, queueId }));
      t.is(appendResult?.queueOffset, i * 7 + 1 + more, `${topic} ${queueId}`);
    }
    t.is(store.recovery.lastExitOk, true);
    await store.close();
  }
});

test("segments that nothing was written to are gone after a close", async (t) => {
  const store = await openStore(t, { mappedFileSizeCommitLog: SIZE });
  await store.putMessage(numbered(0));
  await store.close();
  t.is(readSegments(store.config.storePathRootDir).length, 1);
  t.is(readFileSync(`${store.config.storePathRootDir}/commitlog/00000000000000000000`).length, SIZE);
});
