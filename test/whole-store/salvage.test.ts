import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { segmentFileName } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import { MessageStore, type MessageStoreOptions, type SalvageReport } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { salvageStore } from "#store/copy/salvage.js";
import { storageCalls } from "../support/storage-calls.js";
import { contents, readLog } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB, message, numbered, numberOf, openStore } from "../support/temporary-store.js";

const SIZE = 64 * KIB;
const OPTIONS: MessageStoreOptions = {
  mappedFileSizeCommitLog: SIZE,
  mappedFileSizeConsumeQueue: 20 * 100,
  maxHashSlotNum: 50,
  maxIndexNum: 1000,
  maxMessageSize: 16 * KIB,
};
const COUNT = 300;

interface Stored {
  readonly root: string;
  readonly target: string;
  /** Physical offset of each message, and one past the last. */
  readonly offsets: readonly number[];
}

/** A closed store of several segments with {@link COUNT} messages. */
async function stored(t: ExecutionContext): Promise<Stored> {
  const store = await openStore(t, OPTIONS);
  const offsets: number[] = [];
  for (let n = 0; n < COUNT; n++)
    offsets.push((await store.putMessage(numbered(n, 700, { keys: `k${n}` }))).appendResult?.wroteOffset ?? 0);
  offsets.push(store.maxPhysicalOffset);
  store.consumerOffsets.commit("group", "TopicA", 0, 17);
  await store.close();
  return { root: store.config.storePathRootDir, target: join(temporaryDirectory(t), "salvaged"), offsets };
}

function damage(root: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(join(root, "commitlog", segmentFileName(offset - (offset % SIZE))), "r+");
  writeSync(fd, bytes, 0, bytes.length, offset % SIZE);
  closeSync(fd);
}

/** Opens what was salvaged: every message but the lost ones, where it was, in log, queue and index. */
async function holdsAllBut(t: ExecutionContext, { target, offsets }: Stored, lost: readonly number[]): Promise<void> {
  const good = [...Array(COUNT).keys()].filter((n) => !lost.includes(n));
  const own = readLog(target).messages.filter(({ topic }) => topic === "TopicA");
  t.deepEqual(
    own.map(({ body, physicalOffset }) => [numberOf(body), physicalOffset]),
    good.map((n) => [n, offsets[n]]),
  );
  const store = await openStore(t, { ...OPTIONS, storePathRootDir: target });
  t.is(store.recovery.cut, undefined);
  for (const n of good) {
    using found = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset: n, maxMessages: 1 });
    t.is(numberOf(found.messages[0]?.body ?? new Uint8Array()), n);
  }
  t.is(store.queryMessage({ topic: "TopicA", key: `k${good.at(-1)}` }).messages.length, 1);
  t.is(store.consumerOffsets.get("group", "TopicA", 0), 17);
  t.is((await store.putMessage(numbered(COUNT))).status, "PUT_OK");
  await store.close();
}

function salvage(root: string, target: string): Promise<SalvageReport> {
  return MessageStore.salvage({ ...OPTIONS, storePathRootDir: root }, target);
}

test.serial("damage in the middle is refused, and salvage writes all but it, each message where it was", async (t) => {
  const store = await stored(t);
  const { root, target, offsets } = store;
  const at = (n: number): number => offsets[n] ?? 0;
  // In the last three segments: an old one would be opened, and its records named.
  damage(root, at(103) + 150, Buffer.from("#")); // in a body
  damage(root, at(140), Buffer.alloc(8, 0xff)); // a head: its length is unknown
  damage(root, at(160), Buffer.alloc(at(163) - at(160))); // a page of zeros
  const refusal = await t.throwsAsync(openStore(t, { ...OPTIONS, storePathRootDir: root }), { code: "ERR_COMMIT_LOG_CORRUPT" });
  t.regex(refusal?.message ?? "", /millrace salvage/);
  const before = contents(join(root, "commitlog"));
  const report = await salvage(root, target);
  const known = (n: number): object => ({
    topic: "TopicA",
    queueId: 0,
    queueOffset: n,
    offset: at(n),
    length: at(n + 1) - at(n),
  });
  t.deepEqual(report, {
    minOffset: 0,
    maxOffset: at(COUNT),
    messages: COUNT - 5,
    lost: [
      { offset: at(103), length: at(104) - at(103), found: "BAD_PROPERTY_CRC", messages: [known(103)] },
      { offset: at(140), length: at(141) - at(140), found: "BAD_MAGIC", messages: [known(140)] },
      { offset: at(160), length: at(163) - at(160), found: "EMPTY", messages: [160, 161, 162].map(known) },
    ] as never,
    unreadable: [],
  });
  t.deepEqual(contents(join(root, "commitlog")), before);
  await holdsAllBut(t, store, [103, 140, 160, 161, 162]);
  const fillers = readLog(target).messages.filter(({ topic }) => topic === "MILLRACE_SALVAGE");
  t.regex(
    Buffer.from(fillers[0]?.body ?? []).toString(),
    new RegExp(`^lost: offset=${at(103)} length=${at(104) - at(103)} found=BAD_PROPERTY_CRC *$`),
  );
  // Once more, after more damage: what the first salvage has put there stays.
  damage(target, at(200) + 150, Buffer.from("#"));
  const again = join(temporaryDirectory(t), "again");
  t.deepEqual(
    (await salvage(target, again)).lost.map(({ offset }) => offset),
    [at(200)],
  );
  const queueOffsets = readLog(again)
    .messages.filter(({ topic }) => topic === "MILLRACE_SALVAGE")
    .map(({ queueOffset }) => queueOffset);
  t.deepEqual(queueOffsets.toSorted(), [0, 1, 2, 3]);
});

test.serial("a missing segment, and bytes that are damaged to a segment's end or to the log's, are passed over", async (t) => {
  const store = await stored(t);
  const { root, target, offsets } = store;
  const inSegment = (index: number): number[] =>
    [...Array(COUNT).keys()].filter((n) => Math.floor((offsets[n] ?? 0) / SIZE) === index);
  const lastOfFirst = inSegment(0).at(-1) ?? 0;
  damage(root, (offsets[lastOfFirst] ?? 0) + 150, Buffer.from("#"));
  const blankAt = (offsets[lastOfFirst] ?? 0) + ((offsets[1] ?? 0) - (offsets[0] ?? 0)) + 3; // of other length: its number has more digits
  damage(root, blankAt, Buffer.alloc(SIZE - blankAt, 7));
  rmSync(join(root, "commitlog", segmentFileName(SIZE)));
  damage(root, (offsets[COUNT - 1] ?? 0) + 20, Buffer.from("xxxx"));
  const report = await salvage(root, target);
  t.like(report, { minOffset: 0, maxOffset: offsets[COUNT - 1] });
  t.deepEqual(
    report.lost.flatMap(({ messages }) => messages.map(({ queueOffset }) => queueOffset)),
    [lastOfFirst, ...inSegment(1), COUNT - 1],
  );
  const last = report.lost.at(-1);
  t.true((last?.length ?? 0) < 1000 && last?.offset === offsets[COUNT - 1]);
  await holdsAllBut(t, store, [lastOfFirst, ...inSegment(1), COUNT - 1]);
});

test.serial(
  "a short record that is damaged before the end of its segment is passed over with the blank record after it",
  async (t) => {
    const store = await openStore(t, OPTIONS);
    const root = store.config.storePathRootDir;
    for (let n = 0; n < 4; n++) await store.putMessage(numbered(n, 15 * KIB));
    const short = (await store.putMessage(message({ topic: "A" }))).appendResult?.wroteOffset ?? 0;
    const next = (await store.putMessage(numbered(4, 15 * KIB))).appendResult?.wroteOffset;
    await store.close();
    t.is(next, SIZE);
    damage(root, short + 4, Buffer.from("####"));
    const target = join(temporaryDirectory(t), "salvaged");
    const { lost, messages } = await salvage(root, target);
    t.is(messages, 5);
    t.like(lost, { length: 1, 0: { offset: short, length: SIZE - short, found: "BAD_MAGIC", messages: { length: 1 } } });
    t.deepEqual(
      readLog(target).messages.map(({ body }) => numberOf(body)),
      [0, 1, 2, 3, 4],
    );
  },
);

test.serial("hundreds of thousands of lost messages in a hundred places are named in seconds", async (t) => {
  const store = await stored(t);
  const { root, target, offsets } = store;
  const lost = Array.from({ length: COUNT / 3 }, (_, index) => index * 3);
  for (const n of lost) damage(root, (offsets[n] ?? 0) + 150, Buffer.from("#"));
  const units = Buffer.alloc(20 * 300_000);
  for (let at = 0, n = 0; at < units.length; at += 20, n = (n + 3) % COUNT) {
    units.writeBigInt64BE(BigInt(offsets[n] ?? 0), at);
    units.writeInt32BE(800, at + 8);
  }
  mkdirSync(join(root, "consumequeue", "Many", "0"), { recursive: true });
  writeFileSync(join(root, "consumequeue", "Many", "0", segmentFileName(0)), units);
  const started = process.cpuUsage(); // a busy machine takes longer
  const options = { ...OPTIONS, storePathRootDir: root, mappedFileSizeConsumeQueue: units.length };
  const report = await MessageStore.salvage(options, target);
  const { user, system } = process.cpuUsage(started);
  const seconds = (user + system) / 1e6;
  t.deepEqual(
    report.lost.map(({ offset, messages }) => [offset, messages.length]),
    lost.map((n) => [offsets[n], 1 + 300_000 / lost.length]),
  );
  t.true(seconds < 8, `${seconds} s`);
});

test.serial("files and directories beside the log that cannot be read are left out and named", async (t) => {
  const store = await stored(t);
  const { root, target, offsets } = store;
  damage(root, (offsets[3] ?? 0) + 150, Buffer.from("#"));
  mkdirSync(join(root, "consumequeue", "TopicB"));
  const unreadable = [
    join(root, "config", "consumerOffset.json"),
    join(root, "consumequeue", "TopicA", "0", segmentFileName(0)),
    join(root, "consumequeue", "TopicB"),
  ];
  const faults = unreadable.map((path): Fault => {
    return { operation: path.endsWith("TopicB") ? "read" : "open", path, after: 0, times: 1, code: "EIO" };
  });
  const report = await salvageStore({ ...OPTIONS, storePathRootDir: root }, target, { kind: "faulty", faults }, () => []);
  t.deepEqual(report.unreadable.map(({ path }) => path).toSorted(), unreadable);
  for (const { reason } of report.unreadable) t.regex(reason, /EIO/);
  t.like(report.lost, { length: 1, 0: { offset: offsets[3], messages: { length: 0 } } });
  await holdsAllBut(t, store, [3]);
});

test.serial("what the system says of the target has a code, and nothing is left", async (t) => {
  const { root, target } = await stored(t);
  for (const operation of ["write", "rename", "syncDirectory"] as const) {
    const faults: Fault[] = [{ operation, path: "salvaged", after: 0, code: "EACCES" }];
    const salvaged = salvageStore({ ...OPTIONS, storePathRootDir: root }, target, { kind: "faulty", faults }, () => []);
    await t.throwsAsync(salvaged, { code: "ERR_COPY_FAILED", message: /EACCES/ }, operation);
    t.false(existsSync(`${target}.new`));
  }
});

test.serial(
  "a salvage that is aborted, while it reads or writes, leaves the target as it was, and can be done again",
  async (t) => {
    const { root, target } = await stored(t);
    const prepared = `${target}.new`;
    mkdirSync(target);
    for (const isFar of [
      () => true,
      () => existsSync(prepared),
      () => existsSync(join(prepared, "commitlog")),
      () => existsSync(join(prepared, "commitlog", segmentFileName(SIZE))),
    ]) {
      const controller = new AbortController();
      const salvaged = MessageStore.salvage({ ...OPTIONS, storePathRootDir: root, signal: controller.signal }, target);
      const ended = t.throwsAsync(salvaged, { code: "ERR_ABORTED" }, String(isFar));
      let hasEnded = false;
      void salvaged
        .catch(() => {})
        .finally(() => {
          hasEnded = true;
        });
      while (!isFar() && !hasEnded) await setImmediate();
      controller.abort();
      await ended;
      t.false(existsSync(prepared), String(isFar));
      t.deepEqual(readdirSync(target), []);
    }
    const store = await openStore(t, { ...OPTIONS, storePathRootDir: root });
    await store.close();
    t.is((await MessageStore.salvage({ ...OPTIONS, storePathRootDir: root }, target)).messages, COUNT);
  },
);

test.serial("a watermark without a good slot is refused, and salvage needs none", async (t) => {
  const store = await stored(t);
  const { root, target } = store;
  writeFileSync(join(root, "millrace.watermark"), Buffer.alloc(8192, 1));
  await t.throwsAsync(openStore(t, { ...OPTIONS, storePathRootDir: root }), {
    code: "ERR_WATERMARK_CORRUPT",
    message: /millrace salvage/,
  });
  t.deepEqual((await salvage(root, target)).lost, []);
  await holdsAllBut(t, store, []);
});

test.serial("a store that is open, a target that is there and a directory that is no store are refused", async (t) => {
  const parent = temporaryDirectory(t);
  const store = await openStore(t, OPTIONS);
  const root = store.config.storePathRootDir;
  await t.throwsAsync(salvage(root, join(parent, "to")), { code: "ERR_STORE_LOCKED" });
  await store.close();
  mkdirSync(join(parent, "full", "x"), { recursive: true });
  await t.throwsAsync(salvage(root, join(parent, "full")), { code: "ERR_COPY_TARGET" });
  await t.throwsAsync(salvage(join(parent, "full"), join(parent, "to")), { code: "ERR_PATH_UNUSABLE" });
  t.throws(() => statSync(join(parent, "to.new")));
  t.true(readFileSync(join(root, "lock")).length > 0);
});

test("a segment with a name from far away is left out and named, and nothing walks there", async (t) => {
  for (const far of [2 ** 50, 200 * SIZE]) {
    const store = await stored(t);
    const path = join(store.root, "commitlog", segmentFileName(far));
    writeFileSync(path, new Uint8Array(SIZE));
    const report = await MessageStore.salvage({ ...OPTIONS, storePathRootDir: store.root }, store.target);
    t.like(report.unreadable, { length: 1, 0: { path } });
    t.is(report.messages, COUNT);
    await holdsAllBut(t, store, []);
  }
});

test("of a log that begins far from 0 a segment with the name 0 is left out", async (t) => {
  const root = temporaryDirectory(t);
  const start = 2 ** 40;
  mkdirSync(join(root, "commitlog"));
  writeFileSync(join(root, "commitlog", segmentFileName(start)), new Uint8Array(SIZE));
  const store = await openStore(t, { ...OPTIONS, storePathRootDir: root });
  for (let n = 0; n < COUNT; n++) await store.putMessage(numbered(n, 700));
  await store.close();
  const stray = join(root, "commitlog", segmentFileName(0));
  writeFileSync(stray, new Uint8Array(SIZE));
  const target = join(temporaryDirectory(t), "salvaged");
  const report = await MessageStore.salvage({ ...OPTIONS, storePathRootDir: root }, target);
  t.like(report.unreadable, { length: 1, 0: { path: stray } });
  t.like(report, { minOffset: start, messages: COUNT });
});

test("offsets that cannot be understood are left out and named, so that what was salvaged opens", async (t) => {
  const store = await stored(t);
  const config = join(store.root, "config");
  for (const name of ["consumerOffset.json", "consumerOffset.json.bak", "millrace.consumerOffset"])
    writeFileSync(join(config, name), "{");
  const calls = storageCalls(t);
  const report = await MessageStore.salvage({ ...OPTIONS, storePathRootDir: store.root }, store.target);
  const target = join(`${store.target}.new`, "config");
  const changed = calls.filter(({ path }) => path === target || path === join(target, "consumerOffset.json"));
  t.deepEqual(
    changed.slice(-2).map(({ operation }) => operation),
    ["remove", "syncDirectory"],
    "a power failure does not bring them back",
  );
  t.is(report.unreadable.length, 1);
  t.regex(report.unreadable[0]?.path ?? "", /consumerOffset\.json$/);
  const opened = await openStore(t, { ...OPTIONS, storePathRootDir: store.target });
  t.is(opened.recovery.messages, COUNT);
  t.deepEqual(opened.consumerOffsets.groups(), []);
});

test("a log elsewhere that another root has open is not salvaged", async (t) => {
  const log = join(temporaryDirectory(t), "log");
  const [one, two] = [temporaryDirectory(t), temporaryDirectory(t)];
  const owner = await openStore(t, { ...OPTIONS, storePathRootDir: one, storePathCommitLog: log });
  await owner.putMessage(message());
  const salvage = (): Promise<SalvageReport> =>
    MessageStore.salvage({ ...OPTIONS, storePathRootDir: two, storePathCommitLog: log }, join(temporaryDirectory(t), "salvaged"));
  await t.throwsAsync(salvage(), { code: "ERR_STORE_LOCKED" });
  await owner.close();
  t.is((await salvage()).messages, 1);
});
