import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import { ERROR_CODES, MessageStore } from "@millrace/store";
import test from "ava";
import { readStoreFence, unforcedFrom } from "#store/marks/store-fence.js";
import { bundledStore } from "../../support/bundled-store.js";
import { FIXTURES_DIRECTORY } from "../../support/fixture-store.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { numbered, openStore } from "../../support/temporary-store.js";
import { until } from "../../support/until.js";

const MAIN = join(FIXTURES_DIRECTORY, "..", "..", "packages", "cli", "dist", "main.js");

function millrace(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...bundledStore(), MAIN, ...args], { encoding: "utf8" });
}

test("recover takes the sizes from the files, prints what was found; a wrong one is an error with code, meaning and remedy", (t) => {
  const root = temporaryDirectory(t);
  cpSync(join(FIXTURES_DIRECTORY, "rocketmq-5.3.3"), root, { recursive: true });
  const { status, stdout } = millrace("recover", root);
  t.is(status, 0);
  t.like(JSON.parse(stdout), { minOffset: 0, queueOffsets: { "TopicA-0": 5, "TopicB-1": 3 } });
  const wrong = millrace("recover", root, "--mappedFileSizeCommitLog", "8KiB");
  t.is(wrong.status, 1);
  const [message = "", ...sentences] = wrong.stderr.trim().split("\n");
  t.regex(message, /^ERR_SEGMENT_SIZE: .*mappedFileSizeCommitLog/);
  const { meaning, remedy } = ERROR_CODES.ERR_SEGMENT_SIZE;
  t.deepEqual(sentences, [meaning, remedy]);
});

/** Names of all values in the JSON, but those by queue, row or topic. */
function keysOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...(BY_NAME.has(key) ? [] : keysOf(inner))]);
}

const BY_NAME = new Set(["rows", "reasons", "queueOffsets"]);

test("every row that recover prints comes with its reason, and docs/recovery.md explains it and every line", (t) => {
  const page = readFileSync(join(FIXTURES_DIRECTORY, "..", "..", "docs", "recovery.md"), "utf8").replaceAll(/\n {2,}(?!-)/g, " ");
  const [, printed = ""] = /## What `millrace recover` prints\n([\s\S]*)$/.exec(page) ?? [];
  const root = temporaryDirectory(t);
  cpSync(join(FIXTURES_DIRECTORY, "rocketmq-5.3.3"), root, { recursive: true });
  const last = join(root, "commitlog", "00000000000000008192");
  writeFileSync(last, readFileSync(last).fill("torn", 0, 4));
  writeFileSync(join(root, "abort"), "");
  rmSync(join(root, "consumequeue", "TopicA", "1"), { recursive: true });
  const { stdout } = millrace("recover", root);
  const report = JSON.parse(stdout);
  const rows = [...report.rows, ...Object.keys(report.dispatch.rows), report.dispatch.indexRow];
  for (const row of ["next-segment", "torn-tail", "missing", "no-index"]) t.true(rows.includes(row), `${row} of ${rows.join()}`);
  t.deepEqual(Object.keys(report.reasons), rows);
  for (const row of rows) t.true(page.includes(`- \`${row}\`: ${report.reasons[row]}.\n`), row);
  const keys = keysOf(report);
  t.true(keys.includes("bytesZeroed") && keys.includes("indexFromOffset"));
  for (const key of keys) t.true(printed.includes(`\`${key}\``), key);
});

test("unfence lifts the fence of a failed force, and leaves its offset", (t) => {
  const root = temporaryDirectory(t);
  const fence = join(root, "millrace.fence");
  writeFileSync(fence, JSON.stringify({ reason: "EIO", offset: 4711, time: 1 }));
  t.is(millrace("unfence", root).status, 0);
  const storage = createStorage({ kind: "real" });
  t.is(readStoreFence(storage, fence), undefined);
  t.is(unforcedFrom(storage, fence), 4711);
});

test("unfence lifts a fence beside a log that lies elsewhere, which stat shows", async (t) => {
  const [root, log] = [temporaryDirectory(t), join(temporaryDirectory(t), "log")];
  await openStore(t, { storePathRootDir: root, storePathCommitLog: log }).then((store) => store.close());
  writeFileSync(`${log}.millrace.fence`, JSON.stringify({ reason: "EIO", offset: 0, time: 1 }));
  const elsewhere = [root, "--storePathCommitLog", log];
  t.regex(millrace("stat", ...elsewhere).stdout, /fence +since .*EIO/);
  const { status, stderr } = millrace("unfence", ...elsewhere);
  t.is(status, 0, stderr);
  t.notRegex(millrace("stat", ...elsewhere).stdout, /fence/);
});

test("unfence fails with a code where the marker cannot be written, and the fence stands", (t) => {
  const root = temporaryDirectory(t);
  const beside = join(root, "commitlog.millrace.fence");
  writeFileSync(beside, JSON.stringify({ reason: "EIO", offset: 4711, time: 1 }));
  mkdirSync(join(root, "millrace.fence"));
  const { status, stdout, stderr } = millrace("unfence", root);
  t.deepEqual([status, stdout], [1, ""]);
  t.regex(stderr, /^ERR_PATH_UNUSABLE: the fence stands/);
  t.is(readStoreFence(createStorage({ kind: "real" }), beside)?.offset, 4711);
});

test("recover, snapshot and offsets deliver nothing that is due: of a slave, the log is its master's", async (t) => {
  const root = temporaryDirectory(t);
  const store = await openStore(t, { storePathRootDir: root });
  const { appendResult } = await store.putMessage(numbered(1, 100, { delayTimeLevel: 1 }));
  store.consumerOffsets.commit("group", "SCHEDULE_TOPIC_XXXX", 0, 0);
  const end = store.maxPhysicalOffset;
  await store.close();
  const dueAt = (appendResult?.storeTimestamp ?? 0) + 1000;
  await until(() => Date.now() > dueAt);
  for (const args of [
    ["recover", root],
    ["snapshot", root, join(temporaryDirectory(t), "copy")],
    ["offsets", "reset", root, "group", "SCHEDULE_TOPIC_XXXX", "--to", "earliest"],
    ["offsets", "delete", root, "group"],
  ]) {
    const { status, stderr } = millrace(...args);
    t.is(status, 0, stderr);
    await using reader = await MessageStore.openReadOnly(root);
    t.is(reader.maxPhysicalOffset, end, args[0]);
    t.is(reader.consumerOffsets.get("group", "SCHEDULE_TOPIC_XXXX", 0), args[1] === "delete" ? undefined : 0);
  }
});

test("bad usage is told, exit code 2, and makes no directory", (t) => {
  const missing = join(temporaryDirectory(t), "missing");
  for (const args of [[], ["frobnicate"], ["recover"], ["recover", missing], ["recover", ".", "--no-such"], ["unfence", missing]]) {
    const { status, stderr } = millrace(...args);
    t.is(status, 2, args.join(" "));
    t.regex(stderr, /usage: millrace/i);
  }
  t.false(existsSync(missing));
});
