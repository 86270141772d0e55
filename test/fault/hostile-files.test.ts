import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import test, { type ExecutionContext } from "ava";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

/** Every small file that is read or written when a store is opened. */
const SMALL_FILES = [
  "lock",
  "abort.bak",
  "checkpoint",
  "millrace.watermark",
  "millrace.logStart",
  "millrace.dispatched",
  "millrace.fence",
  "millrace.queueChecksums",
  "millrace.segments/0",
  "millrace.index",
  "millrace.segmentCrcs",
  "config/millrace.deletedTopics",
  "config/millrace.delayArrivals",
  "config/millrace.consumerOffset",
  "config/millrace.delayOffset",
  "config/consumerOffset.json",
  "config/delayOffset.json",
];
/** These are read, and may be no larger than a small file. */
const READ_FILES = SMALL_FILES.filter((name) => name !== "lock" && name !== "abort.bak");

type Put = (path: string) => void;

async function closedStore(t: ExecutionContext): Promise<string> {
  const store = await openStore(t);
  await store.putMessage(numbered(1));
  await store.close();
  return store.config.storePathRootDir;
}

/** Paths of a store that are directories, or files of any length; a marker beside the log is looked at with those of the fence. */
const OTHERS = [
  "root",
  "commitLog",
  "consumeQueue",
  "batchConsumeQueue",
  "consumeQueueExt",
  "consumeQueueRocksDb",
  "index",
  "config",
];
const ELSEWHERE = ["newSegment", "logFence", "abort", "segmentNotes"];

test("each small file of a store is tried here", (t) => {
  const paths = Object.entries(storePaths("")).filter(([name]) => ![...OTHERS, ...ELSEWHERE].includes(name));
  const missing = paths.filter(([, path]) => !SMALL_FILES.includes(path.slice(1)));
  t.deepEqual(missing, []);
});

/** What an opening answers with something else in the place of small files. */
async function openWith(t: ExecutionContext, closed: string, names: readonly string[], put: Put): Promise<string> {
  const root = temporaryDirectory(t);
  cpSync(closed, root, { recursive: true });
  mkdirSync(join(root, "config"), { recursive: true });
  for (const name of names) {
    rmSync(join(root, name), { force: true });
    put(join(root, name));
  }
  try {
    const store = await openStore(t, { storePathRootDir: root });
    const { state } = store.stats();
    await store.close();
    return state === "fenced" ? "open, fenced" : "open";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** What these say can be found again: what is no such file is replaced, unless it is a directory. */
const REBUILT = SMALL_FILES.filter((name) => name.includes("millrace.") || name === "checkpoint").filter(
  (name) => name !== "millrace.watermark" && name !== "millrace.fence",
);

/** Groups of which no file keeps another from being read: the mark of dispatching says whether the others are asked. */
const TOGETHER = [REBUILT.filter(isApart), REBUILT.filter((name) => !isApart(name))];

function isApart(name: string): boolean {
  return name === "millrace.dispatched" || name.startsWith("config/");
}

function answersOf(name: string, code: string): string[] {
  // A fence that cannot be understood is a fence.
  if (name === "millrace.fence") return ["open, fenced"];
  return REBUILT.includes(name) ? ["open", "ERR_PIPELINE_START", "ERR_PATH_UNUSABLE", code] : [code];
}

/** Where a group does not keep a store from opening, neither does one of it: only the others are tried alone. */
async function assertAnswered(t: ExecutionContext, among: readonly string[], code: string, put: Put): Promise<void> {
  const closed = await closedStore(t);
  let alone = among;
  for (const names of TOGETHER) {
    const answer = await openWith(t, closed, names, put);
    if (answer === "open") alone = alone.filter((name) => !names.includes(name));
  }
  for (const name of alone) {
    const answer = await openWith(t, closed, [name], put);
    t.true(answersOf(name, code).includes(answer), `${name}: ${answer}`);
  }
}

const kinds: Record<string, Put> = {
  FIFO: (path) => execFileSync("mkfifo", [path]),
  directory: (path) => mkdirSync(path),
  "link to a device": (path) => symlinkSync("/dev/zero", path),
};
for (const [kind, put] of Object.entries(kinds)) {
  test.serial(`a ${kind} in place of a small file is refused with a code, and nothing hangs`, async (t) => {
    await assertAnswered(t, SMALL_FILES, "ERR_FILE_TYPE", put);
  });
}

test.serial("a sparse file of a tebibyte in place of a small file is refused with a code", async (t) => {
  await assertAnswered(t, READ_FILES, "ERR_FILE_TOO_LONG", (path) => {
    writeFileSync(path, "");
    truncateSync(path, 2 ** 40);
  });
});

test.serial("what lies beside a separate commit log under a name that Millrace might take is not touched", async (t) => {
  const elsewhere = temporaryDirectory(t);
  const storePathCommitLog = join(elsewhere, "log");
  const target = join(elsewhere, "target");
  writeFileSync(target, "somebody's");
  symlinkSync(target, `${storePathCommitLog}.new`);
  const store = await openStore(t, { storePathCommitLog });
  t.is((await store.putMessage(numbered(1))).status, "PUT_OK");
  await store.close();
  t.is(readFileSync(target, "utf8"), "somebody's");
  t.true(existsSync(`${storePathCommitLog}.new`));
});

test.serial("a link where a new file is prepared is replaced, not followed", async (t) => {
  const root = temporaryDirectory(t);
  const target = join(root, "target");
  writeFileSync(target, "somebody's");
  for (const name of ["commitlog.new", "consumequeue.new", "index.new", "abort.tmp", "millrace.watermark.tmp"]) {
    symlinkSync(target, join(root, name));
  }
  const store = await openStore(t, { storePathRootDir: root });
  t.is((await store.putMessage(numbered(1, 16, { keys: ["a"] }))).status, "PUT_OK");
  await store.close();
  t.is(readFileSync(target, "utf8"), "somebody's");
});

test.serial("a link among the ConsumeQueues is refused", async (t) => {
  for (const name of ["TopicA", "TopicA/0", "TopicA/0/00000000000000000000"]) {
    const root = await closedStore(t);
    const path = join(root, "consumequeue", name);
    const elsewhere = join(temporaryDirectory(t), "elsewhere");
    execFileSync("mv", [path, elsewhere]);
    symlinkSync(elsewhere, path);
    await t.throwsAsync(openStore(t, { storePathRootDir: root }), { code: "ERR_FILE_TYPE", message: /path=.*TopicA/ }, name);
  }
});

test.serial("what deletes a topic deletes a link that has come between, and not what it leads to", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(1));
  await store.flush();
  await until(() => store.dispatchBehindBytes === 0);
  const elsewhere = temporaryDirectory(t);
  writeFileSync(join(elsewhere, "mine"), "somebody's");
  const topic = join(store.config.storePathRootDir, "consumequeue", "TopicA");
  symlinkSync(elsewhere, join(topic, "1"));
  await store.deleteTopic("TopicA");
  t.deepEqual(readdirSync(elsewhere), ["mine"]);
  t.false(existsSync(topic));
});

test.serial("files and directories are made with fileMode: no others may read what is in them", async (t) => {
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  for (const [fileMode, files, directories] of [
    [undefined, 0o640, 0o750],
    [0o600, 0o600, 0o700],
    [0o664, 0o664, 0o775],
  ] as const) {
    const root = join(temporaryDirectory(t), "store");
    const store = await openStore(t, { storePathRootDir: root, ...(fileMode === undefined ? {} : { fileMode }) });
    await store.putMessage(numbered(1, 16, { keys: ["a"] }));
    await store.close();
    for (const name of ["", ...(readdirSync(root, { recursive: true }) as string[])]) {
      const stats = statSync(join(root, name));
      t.is(stats.mode & 0o7777, stats.isDirectory() ? directories : files, name);
    }
  }
});

test.serial("a directory in place of a ConsumeQueue file costs its queue only, until the store is opened without it", async (t) => {
  const root = await closedStore(t);
  const file = join(root, "consumequeue", "TopicA", "0", "00000000000000000000");
  rmSync(file);
  mkdirSync(file);
  const store = await openStore(t, { storePathRootDir: root });
  const told: string[] = [];
  store.on("error", ({ code, message }) => told.push(`${code} ${message}`));
  t.is((await store.putMessage(numbered(2))).status, "PUT_OK");
  t.is((await store.putMessage(numbered(3, 16, { topic: "TopicB" }))).status, "PUT_OK");
  await until(() => store.getMaxOffsetInQueue("TopicB", 0) === 1);
  t.is(store.stats().dispatch.refusedQueues, 1);
  await until(() => told.length > 0);
  t.regex(told[0] ?? "", /^ERR_FILE_TYPE .*consumequeue\/TopicA\/0/);
  await store.close();
  rmSync(file, { recursive: true });
  const mended = await openStore(t, { storePathRootDir: root });
  t.is(mended.getMaxOffsetInQueue("TopicA", 0), 2);
  t.is(mended.getMaxOffsetInQueue("TopicB", 0), 1);
  t.is(mended.stats().dispatch.refusedQueues, 0);
});
