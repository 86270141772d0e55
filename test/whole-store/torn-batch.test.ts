import { closeSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import test from "ava";
import { readLog } from "../support/stored-log.js";
import { numbered, openStore } from "../support/temporary-store.js";

test("of a batch that was not acknowledged when the machine stopped, the first records may stay: the README says so", async (t) => {
  const store = await openStore(t);
  const root = store.config.storePathRootDir;
  await store.putMessages([numbered(0), numbered(1), numbered(2)]);
  await store.close();
  // As a power failure leaves it: the last record did not reach the disk, and nothing says that it ever was durable.
  const last = readLog(root).messages.at(-1)?.physicalOffset ?? 0;
  const segment = openSync(join(root, "commitlog", segmentFileName(0)), "r+");
  writeSync(segment, Buffer.alloc(8), 0, 8, last);
  closeSync(segment);
  writeFileSync(join(root, "abort"), "");
  for (const name of ["millrace.watermark", "millrace.dispatched"]) rmSync(join(root, name));
  const reopened = await openStore(t, { storePathRootDir: root });
  t.like(reopened.recovery, { messages: 2, rows: ["torn-tail"] });
  t.is((await reopened.putMessage(numbered(3))).appendResult?.queueOffset, 2);
});
