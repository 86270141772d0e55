import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { segmentFileName } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions, PutMessageResult } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { parseLoadOptions } from "#scripts/load-generator/load-options.js";
import { runLoad } from "#scripts/load-generator/load-run.js";
import type { LoadStoreOptions } from "#scripts/load-generator/load-target.js";
import { openOn } from "#store/message-store.js";
import { readLog, readSegments } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, numbered, numberOf, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { testIf } from "../support/test-if.js";

const REFUSED = { status: "CREATE_MAPPED_FILE_FAILED", code: "ERR_ALLOCATE_FAILED", appendResult: null };
/** What is said as soon as a look at the disk, some seconds apart, has found it full. */
const REFUSED_AHEAD = { status: "SERVICE_NOT_AVAILABLE", code: "ERR_DISK_FULL", appendResult: null };

function isRefused(t: ExecutionContext, result: PutMessageResult): void {
  t.like(result, result.code === REFUSED_AHEAD.code ? REFUSED_AHEAD : REFUSED);
}

/** Puts until the disk is full; the results of the accepted ones. */
async function fill(t: ExecutionContext, store: MessageStore, limit: number): Promise<PutMessageResult[]> {
  const accepted: PutMessageResult[] = [];
  for (let n = 0; n < limit; n++) {
    const result = await store.putMessage(numbered(n, 1000));
    if (result.status !== "PUT_OK") {
      isRefused(t, result);
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
      times: 40, // of attempts 20 ms apart: the appender must run out of bytes meanwhile
      code: "ENOSPC",
      ...(operation === "write" && { partialBytes: 100 }),
    };
    const store = await openStore(t, {}, [fault]);
    const accepted = await fill(t, store, 2000);
    t.true(accepted.length > 0);
    t.is(store.stats().state, "running");
    let result = await store.putMessage(numbered(accepted.length, 1000));
    for (let n = 0; n < 80 && result.status !== "PUT_OK"; n++) result = await store.putMessage(numbered(accepted.length, 1000));
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

function mountTmpfs(directory: string, bytes = SMALL_DISK_BYTES): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", directory], { stdio: "ignore" });
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
function mountSmallDisk(t: ExecutionContext, bytes?: number): string {
  const directory = temporaryDirectory(t);
  mountTmpfs(directory, bytes);
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
  isRefused(t, await store.putMessage(numbered(0, 60_000)));
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

// In SYNC_FLUSH through the channel, a planned fault would meet writes into blocks that a disk has given already.
for (const [mode, operation] of [
  ["mapped", "write"],
  ["SYNC_FLUSH, mapped", "write"],
  ["writeWithoutMmap", "allocate"],
  ["transientStorePoolEnable", "allocate"],
] as const) {
  test.serial(
    `an allocator that finds no space is an answer, not the end, and what was acknowledged is there: ${mode}`,
    async (t) => {
      const store = await openStore(t, modes[mode], [{ operation, path: "commitlog", after: 12, code: "ENOSPC" }]);
      await fillAndReopen(t, store, 1);
    },
  );
}

const NO_WRITES: Fault[] = [{ operation: "write", path: "", after: 0, code: "ENOSPC" }];
const SMALL_FILES: MessageStoreOptions = { mappedFileSizeConsumeQueue: 2000, maxHashSlotNum: 100, maxIndexNum: 1000 };

/** Puts 100 messages and closes. */
async function filledStore(t: ExecutionContext, root: string): Promise<MessageStoreOptions> {
  const store = await openStore(t, { ...SMALL_FILES, storePathRootDir: root });
  for (let n = 0; n < 100; n++) t.is((await store.putMessage(numbered(n, 1000, { keys: `key${n}` }))).status, "PUT_OK");
  await store.close();
  return store.config;
}

function readAll(t: ExecutionContext, store: MessageStore): void {
  for (let queueOffset = 0; queueOffset < 100; ) {
    using found = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset });
    t.is(found.status, "FOUND");
    for (const { body } of found.messages) t.is(numberOf(body), queueOffset++);
  }
}

test.serial("a store on a disk that takes nothing opens, is read, refuses puts, and goes on when there is room", async (t) => {
  const config = await filledStore(t, temporaryDirectory(t));
  const root = config.storePathRootDir ?? "";
  for (const isOfRocketMQ of [false, true]) {
    if (isOfRocketMQ)
      for (const name of ["millrace.watermark", "millrace.dispatched", "checkpoint"]) rmSync(join(root, name), { force: true });
    const store = await openStore(t, config, NO_WRITES);
    readAll(t, store);
    // Without a mark the newest index file is built again, and that takes room.
    t.is(store.queryMessage({ topic: "TopicA", key: "key7" }).messages.length, isOfRocketMQ ? 0 : 1);
    t.like(await store.putMessage(numbered(100)), REFUSED);
    t.is(store.stats().state, "running");
    t.is(readFileSync(join(root, "abort"), "utf8"), "");
    t.false(existsSync(join(root, "abort.tmp")));
    await store.close();
    t.is(existsSync(join(root, "abort")), isOfRocketMQ, "the index is not complete");
  }
  const store = await openStore(t, config);
  t.is((await store.putMessage(numbered(100))).status, "PUT_OK");
  await store.close();
});

test.serial("marks that a full disk refuses say less, and are written when there is room", async (t) => {
  const root = temporaryDirectory(t);
  const marks: Fault[] = ["millrace.watermark", "checkpoint"].map((path) => ({
    operation: "write",
    path,
    after: 0,
    code: "ENOSPC",
  }));
  const store = await openStore(t, { storePathRootDir: root, flushDiskType: "SYNC_FLUSH" }, marks);
  t.is((await store.putMessage(numbered(0))).status, "PUT_OK");
  await store.close();
  t.deepEqual(
    ["millrace.watermark", "checkpoint"].map((name) => existsSync(join(root, name))),
    [false, false],
  );
  const reopened = await openStore(t, { storePathRootDir: root });
  t.is((await reopened.putMessage(numbered(1))).status, "PUT_OK");
  await reopened.close();
  t.true(existsSync(join(root, "millrace.watermark")));
});

testOnDisk("a store on a full disk opens, cuts what is torn, is read, and retention makes room again", async (t) => {
  const disk = mountSmallDisk(t);
  const config = await filledStore(t, join(disk, "store"));
  // As RocketMQ and a crash leave it: no marks, a sparse segment, half a record at its end.
  const log = readLog(join(disk, "store"));
  const segment = openSync(join(disk, "store", "commitlog", segmentFileName(SEGMENT_SIZE)), "r+");
  writeSync(segment, Buffer.alloc(100, 7), 0, 100, log.end - SEGMENT_SIZE);
  closeSync(segment);
  writeFileSync(join(disk, "store", "abort"), "");
  rmSync(join(disk, "store", "millrace.watermark"));
  fillDisk(disk);
  const store = await openStore(t, { ...config, cleanResourceInterval: 50 });
  t.is(store.recovery.cut?.offset, log.end);
  readAll(t, store);
  t.regex((await store.putMessage(numbered(100))).status, /^(CREATE_MAPPED_FILE_FAILED|SERVICE_NOT_AVAILABLE)$/);
  t.is((await store.deleteExpiredFiles()).deletedSegments, 1);
  t.is(store.minPhysicalOffset, SEGMENT_SIZE, "above diskSpaceCleanForciblyRatio segments go before their time");
  rmSync(join(disk, "full"));
  const until = Date.now() + 10_000;
  let status = "";
  while (status !== "PUT_OK" && Date.now() < until) {
    status = (await store.putMessage(numbered(100))).status;
    await setTimeout(20);
  }
  t.is(status, "PUT_OK");
  await store.close();
});

/** To the last byte. */
function fillDisk(directory: string): void {
  const fd = openSync(join(directory, "full"), "w");
  for (const length of [64 * KIB, 512]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(length));
    } catch {}
  }
  closeSync(fd);
}

testOnDisk("retention takes nothing from a load, however full the disk is, before it was verified", async (t) => {
  const line = "--messageQuantity 6000 --messageSize 128 --rate 4000 --mappedFileSizeCommitLog 64KiB --storePathRootDir";
  const disk = mountSmallDisk(t, 16 * 1024 * KIB);
  writeFileSync(join(disk, "others"), Buffer.alloc(6 * 1024 * KIB));
  const options = parseLoadOptions([...line.split(" "), join(disk, "store")]);
  let cleaned = 0;
  const cleaning = new AbortController();
  t.teardown(() => cleaning.abort());
  const openStore = async (store: LoadStoreOptions): Promise<MessageStore> => {
    const opened = await openOn({ ...store, diskSpaceCleanForciblyRatio: 30, logger: { error: () => {} } }, { kind: "real" });
    void (async () => {
      while (!cleaning.signal.aborted) {
        await opened.deleteExpiredFiles();
        cleaned++;
        await setTimeout(20);
      }
    })().catch(() => {}); // closed
    return opened;
  };
  const summary = await runLoad(options, { openStore, print: () => {}, interrupt: cleaning.signal });
  t.true(cleaned > 10);
  t.like(summary, { acked: 6000, failed: 0, verified: 6000, lost: 0, problems: [] });
});
