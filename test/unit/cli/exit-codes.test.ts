import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { bundledStore } from "../../support/bundled-store.js";
import { flipBit } from "../../support/flip-bit.js";
import { projectRoot } from "../../support/project-root.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { numbered, openStore } from "../../support/temporary-store.js";
import { testIf } from "../../support/test-if.js";
import { dispatchedAll } from "../../support/until.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");
const SEGMENT = 64 * 1024;

function millrace(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...bundledStore(), MAIN, ...args], { encoding: "utf8" });
}

/** A closed store of several segments, with a consumer group. */
async function closedStore(t: ExecutionContext): Promise<MessageStore> {
  const store = await openStore(t, { mappedFileSizeCommitLog: SEGMENT });
  for (let n = 0; n < 60; n++) await store.putMessage(numbered(n, 4000));
  await dispatchedAll(store);
  store.consumerOffsets.commit("billing", "TopicA", 0, 7);
  await store.close();
  return store;
}

test.serial(
  "recover, its dry run and salvage of damage say with exit code 3 that something is not as it was written",
  async (t) => {
    const store = await closedStore(t);
    const root = store.config.storePathRootDir;
    const parent = temporaryDirectory(t);
    for (const args of [["--dry-run"], []]) t.is(millrace("recover", root, ...args).status, 0, `sound: ${args}`);
    t.is(millrace("salvage", root, join(parent, "sound")).status, 0);
    flipBit(join(root, "commitlog", segmentFileName(0)), 300, 1);
    const copy = join(parent, "copy");
    cpSync(root, copy, { recursive: true });
    for (const args of [["--dry-run"], []]) {
      const { status, stdout } = millrace("recover", root, ...args);
      t.is(JSON.parse(stdout).corrupt.length, 1);
      t.is(status, 3, `a corrupt record: ${args}`);
    }
    const salvaged = millrace("salvage", copy, join(parent, "salvaged"));
    t.is(JSON.parse(salvaged.stdout).lost.length, 1);
    t.is(salvaged.status, 3);
  },
);

test.serial("a file of config that had to be taken from its copy is damage too, a torn end is none", async (t) => {
  const store = await closedStore(t);
  const root = store.config.storePathRootDir;
  writeFileSync(join(root, "abort"), "");
  flipBit(join(root, "commitlog", readdirSync(join(root, "commitlog")).at(-1) ?? ""), SEGMENT - 5, 1);
  t.is(millrace("recover", root).status, 0);
  writeFileSync(join(root, "config", "consumerOffset.json"), "{");
  t.is(millrace("recover", root).status, 3);
});

testIf(process.platform === "linux", "needs /proc")(
  "where no copy or store can be made a code says so, and the option that helps",
  async (t) => {
    const root = (await closedStore(t)).config.storePathRootDir;
    for (const [args, option] of [
      [["recover", root, "--dry-run", "--scratch", "/proc"], "--scratch"],
      [["bench", "--in", "/proc"], "--in"],
    ] as const) {
      const { status, stderr } = millrace(...args);
      t.is(status, 1);
      t.regex(stderr, new RegExp(`^ERR_PATH_UNUSABLE: .*${option} names another place.*path=/proc `), args.join(" "));
      t.is(stderr.trim().split("\n").length, 3);
    }
  },
);

test.serial("what is asked for and not there is said, with exit code 1", async (t) => {
  const root = (await closedStore(t)).config.storePathRootDir;
  for (const [args, message] of [
    [["query", root, "TopicA", "nobody"], /no message with this key: topic=TopicA key=nobody/],
    [["cat", root, "--at", "1"], /no such message: at=1/],
    [["offsets", "delete", root, "nobody"], /has committed nothing: group=nobody/],
  ] as const) {
    const { status, stdout, stderr } = millrace(...args);
    t.is(status, 1, args.join(" "));
    t.regex(stdout + stderr, message);
  }
});

test.serial("help of a command that there is none of says so, and so does the help of a group of commands", (t) => {
  for (const args of [
    ["help", "nope"],
    ["offsets", "help", "nope"],
  ]) {
    const { status, stderr } = millrace(...args);
    t.is(status, 2);
    t.regex(stderr, /^error: unknown command 'nope'\n\nUsage: millrace/m);
  }
  t.is(millrace("help", "stat").status, 0);
  t.notRegex(millrace().stderr, /unknown/);
});

test.serial("stat of a salvaged store, and of one without ConsumeQueues, has the log's true extent", async (t) => {
  const store = await closedStore(t);
  const { storePathRootDir: root } = store.config;
  const target = join(temporaryDirectory(t), "salvaged");
  millrace("salvage", root, target);
  const { maxPhysicalOffset } = JSON.parse(millrace("stat", root, "--json").stdout);
  t.true(maxPhysicalOffset > SEGMENT);
  rmSync(join(root, "consumequeue"), { recursive: true });
  for (const directory of [root, target]) {
    t.like(JSON.parse(millrace("stat", directory, "--json").stdout), { maxPhysicalOffset, dispatchedOffset: 0, messages: 0 });
    const { stdout } = millrace("stat", directory);
    t.regex(stdout, new RegExp(`^log +0 to ${maxPhysicalOffset} `, "m"));
    t.regex(stdout, /^not dispatched +from 0 on .*millrace recover$/m);
    t.is(millrace("recover", directory).status, 0);
    t.notRegex(millrace("stat", directory).stdout, /not dispatched/);
  }
});

test.serial("unfence says whether there was a fence", async (t) => {
  const root = (await closedStore(t)).config.storePathRootDir;
  writeFileSync(join(root, "millrace.fence"), JSON.stringify({ reason: "EIO", offset: 0, time: 1 }));
  t.is(millrace("unfence", root).stdout, `the fence is lifted: storePathRootDir=${root}\n`);
  t.is(millrace("unfence", root).stdout, `there was no fence: storePathRootDir=${root}\n`);
  t.deepEqual(JSON.parse(millrace("unfence", root, "--json").stdout), {
    storePathRootDir: root,
    wasFenced: false,
    isFenced: false,
  });
});
