import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeMessageId, segmentFileName } from "@millrace/format";
import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { readLog } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";

const modes: Record<string, MessageStoreOptions> = {
  "SYNC_FLUSH, mapped": { flushDiskType: "SYNC_FLUSH" },
  "ASYNC_FLUSH, writeWithoutMmap": { writeWithoutMmap: true },
  transientStorePoolEnable: { transientStorePoolEnable: true, transientStorePoolSize: 2, commitIntervalCommitLog: 5 },
};

for (const [name, boundary] of Object.entries({ "2^31": 2 ** 31, "2^32": 2 ** 32, "2^40": 2 ** 40 })) {
  for (const [mode, options] of Object.entries(modes)) {
    test.serial(`the log goes on across ${name}: ${mode}`, async (t) => {
      const root = temporaryDirectory(t);
      const start = boundary - SEGMENT_SIZE;
      mkdirSync(join(root, "commitlog"));
      writeFileSync(join(root, "commitlog", segmentFileName(start)), Buffer.alloc(SEGMENT_SIZE));
      const store = await openStore(t, { storePathRootDir: root, ...options });
      t.is(store.minPhysicalOffset, start);
      const results = await Promise.all(Array.from({ length: 200 }, (_, n) => store.putMessage(numbered(n, 900))));
      t.is(results[0]?.appendResult?.wroteOffset, start);
      t.true((results[199]?.appendResult?.wroteOffset ?? 0) > boundary + SEGMENT_SIZE);
      for (const { appendResult } of results)
        t.is(decodeMessageId(appendResult?.msgId ?? "").physicalOffset, appendResult?.wroteOffset ?? -1);
      t.is(await store.flush(), store.maxPhysicalOffset);
      await store.close();
      const { messages } = readLog(root);
      t.deepEqual(
        messages.map(({ physicalOffset }) => physicalOffset),
        results.map(({ appendResult }) => appendResult?.wroteOffset),
      );
      const reopened = await openStore(t, { storePathRootDir: root, ...options });
      t.is(reopened.maxPhysicalOffset, store.maxPhysicalOffset);
      t.is((await reopened.putMessage(numbered(200))).appendResult?.queueOffset, 200);
      await reopened.close();
      t.deepEqual(
        readLog(root).messages.map(({ body }) => numberOf(body)),
        Array.from({ length: 201 }, (_, n) => n),
      );
    });
  }
}
