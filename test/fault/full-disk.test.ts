import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions, PutMessageResult } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { readLog, readSegments } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { testIf } from "../support/test-if.js";

const REFUSED = { status: "CREATE_MAPPED_FILE_FAILED", code: "ERR_ALLOCATE_FAILED", appendResult: null };

/** Puts until the disk is full; the results of the accepted ones. */
async function fill(t: ExecutionContext, store: MessageStore, limit: number): Promise<PutMessageResult[]> {
  const accepted: PutMessageResult[] = [];
  for (let n = 0; n < limit; n++) {
    const result = await store.putMessage(numbered(n, 1000));
    if (result.status !== "PUT_OK") {
      t.like(result, REFUSED);
      return accepted;
    }
    accepted.push(result);
  }
  t.fail("the disk never was full");
  return accepted;
}

for (const [operation, path, after] of [
  ["write", "commitlog/0", 3],
  ["open", "commitlog.new", 2],
] as const) {
  test.serial(`the allocator's ${operation} finds no space: puts are refused, and go on when there is space`, async (t) => {
    const fault: Fault = {
      operation,
      path,
      after,
      times: 8,
      code: "ENOSPC",
      ...(operation === "write" && { partialBytes: 100 }),
    };
    const store = await openStore(t, {}, [fault]);
    const accepted = await fill(t, store, 2000);
    t.true(accepted.length > 0);
    t.is(store.stats().state, "running");
    let result = await store.putMessage(numbered(accepted.length, 1000));
    for (let n = 0; n < 20 && result.status !== "PUT_OK"; n++) result = await store.putMessage(numbered(accepted.length, 1000));
    t.is(result.status, "PUT_OK");
    t.is(result.appendResult?.queueOffset, accepted.length, "what was refused took no queue offset");
    for (let n = 1; n < 100; n++) t.is((await store.putMessage(numbered(accepted.length + n, 1000))).status, "PUT_OK");
    await store.close();
    const { messages, ending } = readLog(store.config.storePathRootDir);
    t.deepEqual(
      messages.map(({ body }) => numberOf(body)),
      messages.map((_, n) => n),
    );
    t.is(messages.length, accepted.length + 100);
    t.is(ending, "EMPTY");
  });
}

for (const operation of ["truncate", "syncDirectory"] as const) {
  test.serial(`a segment whose ${operation} failed becomes a whole segment all the same`, async (t) => {
    const size = 2048 * KIB; // more than the allocator fills in one go
    const faults: Fault[] = [
      { operation, path: "commitlog", after: 1, times: 2, code: "ENOSPC" },
      { operation: "write", path: "commitlog", after: 0, delayMs: 50 }, // the appender comes before the fill is done
    ];
    const store = await openStore(t, { mappedFileSizeCommitLog: size }, faults);
    let accepted = 0;
    while (accepted < 100) {
      const result = await store.putMessage(numbered(accepted, 50_000));
      if (result.status === "PUT_OK") accepted++;
      else t.like(result, REFUSED);
    }
    await store.close();
    const segments = readSegments(store.config.storePathRootDir);
    t.deepEqual(
      segments.map(({ bytes }) => bytes.length),
      [size, size, size],
    );
    t.is(readLog(store.config.storePathRootDir).messages.length, 100);
  });
}

const SMALL_DISK_BYTES = 12 * SEGMENT_SIZE + 40 * KIB;

function mountTmpfs(directory: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SMALL_DISK_BYTES}`, "tmpfs", directory], { stdio: "ignore" });
}

function isMountAllowed(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "millrace-mount-"));
  try {
    mountTmpfs(directory);
    execFileSync("umount", [directory]);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(directory);
  }
}

/** A small disk of its own. */
function mountSmallDisk(t: ExecutionContext): string {
  const directory = temporaryDirectory(t);
  mountTmpfs(directory);
  t.teardown(() => execFileSync("umount", [directory]));
  return directory;
}

const modes: Record<string, MessageStoreOptions> = {
  mapped: {},
  "SYNC_FLUSH, mapped": { flushDiskType: "SYNC_FLUSH" },
  writeWithoutMmap: { writeWithoutMmap: true },
  transientStorePoolEnable: { transientStorePoolEnable: true, commitIntervalCommitLog: 5 },
};

/** Fills the disk; refused puts do not harm the store, and all that was acknowledged is there afterwards. */
async function fillAndReopen(t: ExecutionContext, store: MessageStore, atLeast: number): Promise<void> {
  const accepted = await fill(t, store, 2000);
  t.true(accepted.length >= atLeast);
  t.like(await store.putMessage(numbered(0, 60_000)), REFUSED);
  t.is(store.stats().state, "running");
  t.is(await store.flush(), store.maxPhysicalOffset);
  await store.close();
  const { messages } = readLog(store.config.storePathRootDir);
  t.deepEqual(
    messages.map(({ physicalOffset }) => physicalOffset),
    accepted.map(({ appendResult }) => appendResult?.wroteOffset),
  );
  const reopened = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  t.is(reopened.recovery.messages, accepted.length);
  // RocketMQ's rule: the abort file stays when the ConsumeQueues could not be completed.
  t.is(reopened.recovery.lastExitOk, store.dispatchBehindBytes === 0);
  await reopened.close();
}

const testOnDisk = testIf(isMountAllowed(), "mounting is not allowed here");
for (const [mode, options] of Object.entries(modes)) {
  testOnDisk(`a full disk is an answer, not the end, and what was acknowledged is there: ${mode}`, async (t) => {
    const store = await openStore(t, { ...options, storePathRootDir: join(mountSmallDisk(t), "store") });
    await fillAndReopen(t, store, 500);
  });
}

// Where the log is written through the channel, a planned fault would meet writes into blocks that a disk has given already.
for (const mode of ["mapped", "SYNC_FLUSH, mapped"]) {
  test.serial(
    `an allocator that finds no space is an answer, not the end, and what was acknowledged is there: ${mode}`,
    async (t) => {
      const store = await openStore(t, modes[mode], [{ operation: "write", path: "commitlog", after: 12, code: "ENOSPC" }]);
      await fillAndReopen(t, store, 1);
    },
  );
}
