import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import test from "ava";
import { openReader, putNumbered } from "../support/store-reader.js";
import { numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";

test("the end of a segment is right however long its blank record is, and told of where that says another length", async (t) => {
  const store = await openStore(t);
  const { storePathRootDir } = store.config;
  const ends: number[] = [];
  for (const length of [50, 300, 3000, 20_000]) {
    while (store.maxPhysicalOffset % SEGMENT_SIZE < SEGMENT_SIZE - length - 200) await store.putMessage(numbered(0, length));
    const end = store.maxPhysicalOffset;
    await store.putMessage(numbered(0, SEGMENT_SIZE / 2)); // in the next one
    ends.push(end);
  }
  await putNumbered(store, 0, 1);
  const reader = await openReader(t, storePathRootDir);
  t.deepEqual((await reader.verify()).damaged, []);
  const [last = 0] = ends.slice(-1);
  const file = openSync(join(storePathRootDir, "commitlog", segmentFileName(last - (last % SEGMENT_SIZE))), "r+");
  writeSync(file, new Uint8Array([0, 0, 0, 91]), 0, 4, last % SEGMENT_SIZE);
  t.like((await reader.verify()).damaged, [{ kind: "record", physicalOffset: last, reason: "BAD_BLANK" }]);
});
