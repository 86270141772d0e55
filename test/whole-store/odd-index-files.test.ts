import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "@millrace/mapped-file";
import test from "ava";
import { FollowedStore } from "#store/follow/followed-store.js";
import { openReader, putNumbered } from "../support/store-reader.js";
import { openStore } from "../support/temporary-store.js";
import { stays, until } from "../support/until.js";

const SMALL = { maxHashSlotNum: 100, maxIndexNum: 30 };
const LISTING_MS = 1500;

test.serial("an index file that cannot be read keeps no reader from opening, costs no queue, and is told of", async (t) => {
  const store = await openStore(t, SMALL);
  const { storePathRootDir } = store.config;
  await putNumbered(store, 0, 5);
  const faults: Fault[] = [{ operation: "open", path: "/index/", after: 0, code: "EACCES" }];
  const reader = await FollowedStore.open(storePathRootDir, {}, { kind: "faulty", faults });
  t.teardown(() => reader.close());
  await putNumbered(store, 5, 9);
  await until(() => reader.reader.getMaxOffsetInQueue("TopicA", 0) === 9);
  t.true(await stays(() => (reader.lastError as NodeJS.ErrnoException | undefined)?.code === "EACCES", LISTING_MS));
});

test.serial(
  "where one index file cannot be read, another one says what shape they have; a query that it may answer is refused",
  async (t) => {
    const store = await openStore(t, SMALL);
    const { storePathRootDir } = store.config;
    await putNumbered(store, 0, 60);
    await store.close();
    const [first = ""] = readdirSync(join(storePathRootDir, "index")).sort();
    const faults: Fault[] = [{ operation: "open", path: first, after: 0, code: "EIO" }];
    const reader = await FollowedStore.open(storePathRootDir, {}, { kind: "faulty", faults });
    t.teardown(() => reader.close());
    t.is(reader.lastError, undefined);
    t.like(reader.config, SMALL);
    const query = { topic: "TopicA", key: "k59" };
    t.throws(() => reader.reader.queryMessage(query), { code: "ERR_PATH_UNUSABLE", message: /EIO/ }, "it may hold more of them");
  },
);

test.serial(
  "an index file of another length than the others, in which no query finds anything, is told of while it is there",
  async (t) => {
    const store = await openStore(t, SMALL);
    const { storePathRootDir } = store.config;
    await putNumbered(store, 0, 60);
    const reader = await openReader(t, storePathRootDir);
    const odd = join(storePathRootDir, "index", "20200101000000000");
    writeFileSync(odd, new Uint8Array(100));
    await until(() => (reader.lastError as { code?: string } | undefined)?.code === "ERR_INDEX_FILE_SIZE");
    t.like((await reader.verify()).damaged, [{ kind: "file", path: odd }]);
    rmSync(odd);
    await until(() => reader.lastError === undefined);
    t.deepEqual((await reader.verify()).damaged, []);
  },
);
