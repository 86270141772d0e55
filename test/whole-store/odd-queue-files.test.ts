import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageStoreOptions } from "@millrace/store";
import test from "ava";
import { numbersOf, openReader, putNumbered, range } from "../support/store-reader.js";
import { openStore } from "../support/temporary-store.js";
import { stays, until } from "../support/until.js";

/** A hundred units in each file of a queue. */
const SMALL: MessageStoreOptions = { mappedFileSizeConsumeQueue: 2000, maxHashSlotNum: 100, maxIndexNum: 4000 };
const FILE_LENGTH = 2000;
/** Longer than a reader takes from one listing of the files to the next. */
const LISTING_MS = 1500;

function queueFile(root: string, topic: string, fromOffset = 0): string {
  return join(root, "consumequeue", topic, "0", String(fromOffset).padStart(20, "0"));
}

test.serial(
  "a queue whose last file has no bytes yet, as a power failure leaves it, is read up to there, and on when it has",
  async (t) => {
    const store = await openStore(t, SMALL);
    const { storePathRootDir } = store.config;
    await putNumbered(store, 0, 100);
    await putNumbered(store, 0, 5, 1000, "TopicB");
    await store.close();
    const next = queueFile(storePathRootDir, "TopicA", FILE_LENGTH);
    if (existsSync(next)) rmSync(next);
    writeFileSync(next, "");
    const reader = await openReader(t, storePathRootDir);
    t.true(await stays(() => reader.lastError === undefined, LISTING_MS));
    t.deepEqual(numbersOf(reader), range(0, 100));
    t.deepEqual(numbersOf(reader, 0, "TopicB"), range(0, 5));
    const again = await openStore(t, { ...SMALL, storePathRootDir });
    await putNumbered(again, 100, 130);
    await putNumbered(again, 5, 9, 1000, "TopicB");
    await until(() => reader.getMaxOffsetInQueue("TopicA", 0) === 130 && reader.getMaxOffsetInQueue("TopicB", 0) === 9);
    t.deepEqual(numbersOf(reader), range(0, 130));
    t.is(reader.lastError, undefined);
  },
);

test.serial(
  "a file of an odd length is told of while it is there, keeps no reader from opening, and costs no other queue",
  async (t) => {
    const store = await openStore(t, SMALL);
    const { storePathRootDir } = store.config;
    await putNumbered(store, 0, 5);
    await putNumbered(store, 0, 5, 1000, "TopicC");
    const before = await openReader(t, storePathRootDir);
    const odd = queueFile(storePathRootDir, "Topic0"); // the first that is looked at
    mkdirSync(join(odd, ".."), { recursive: true });
    writeFileSync(odd, new Uint8Array(FILE_LENGTH / 2));
    const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;
    await until(() => codeOf(before.lastError) === "ERR_SEGMENT_SIZE");
    const readers = [before, await openReader(t, storePathRootDir)];
    await putNumbered(store, 5, 9, 1000, "TopicC");
    for (const reader of readers) {
      await until(() => reader.getMaxOffsetInQueue("TopicC", 0) === 9);
      t.deepEqual(numbersOf(reader, 0, "TopicC"), range(0, 9));
      t.deepEqual(reader.topics(), ["TopicA", "TopicC"]);
    }
    t.true(await stays(() => readers.every(({ lastError }) => codeOf(lastError) === "ERR_SEGMENT_SIZE"), LISTING_MS));
    const { damaged } = await before.verify();
    t.deepEqual(
      damaged.map(({ kind, path }) => [kind, path]),
      [["file", join(odd, "..")]],
    );
    t.regex(damaged[0]?.reason ?? "", /00000000000000000000/);
    truncateSync(odd, FILE_LENGTH);
    for (const reader of readers) await until(() => reader.lastError === undefined);
    t.deepEqual((await before.verify()).damaged, []);
  },
);
