import type { Fault } from "@millrace/mapped-file";
import test from "ava";
import { readLog } from "../support/stored-log.js";
import { KIB, numbered, numberOf, openStore } from "../support/temporary-store.js";

test.serial("on a full disk with slow forces, what is answered with a place in the log is there, and nothing else", async (t) => {
  const faults: readonly Fault[] = [
    { operation: "force", path: "commitlog/0", delayMs: 1500, after: 0, times: 2 }, // of the zeros, then of the first group
    { operation: "write", path: "commitlog/0", code: "ENOSPC", after: 9 }, // zeros come by 16 KiB: two segments are ready,
  ];
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH", syncFlushTimeout: 200 }, faults);
  const waits = (n: number) => n % 3 !== 0;
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => store.putMessage(numbered(n, 20 * KIB, { waitStoreMsgOK: waits(n) }))),
  );
  await store.close();
  const stored = answers.flatMap(({ status, appendResult }, n) =>
    appendResult === null ? [] : [{ n, answer: status, offset: appendResult.wroteOffset }],
  );
  t.deepEqual(
    readLog(store.config.storePathRootDir).messages.map(({ body, physicalOffset }) => [numberOf(body), physicalOffset]),
    stored.map(({ n, offset }) => [n, offset]),
  );
  for (const { status, appendResult } of answers) if (appendResult === null) t.is(status, "CREATE_MAPPED_FILE_FAILED");
  t.true(
    answers.some(({ appendResult }) => appendResult === null),
    "the disk was full",
  );
  t.true(
    stored.some(({ answer }) => answer === "FLUSH_DISK_TIMEOUT"),
    "the force was slow",
  );
  t.true(stored.every(({ n, answer }) => waits(n) || answer === "PUT_OK"));
});
