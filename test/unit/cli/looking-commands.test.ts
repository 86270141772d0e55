import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { bundledStore } from "../../support/bundled-store.js";
import { FIXTURES_DIRECTORY } from "../../support/fixture-store.js";
import { projectRoot } from "../../support/project-root.js";
import { range } from "../../support/store-reader.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { numbered, openStore } from "../../support/temporary-store.js";
import { dispatchedAll, until } from "../../support/until.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");

function millrace(args: readonly string[], input = ""): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...bundledStore(), MAIN, ...args], { encoding: "utf8", input });
}

/** An open store with 40 messages in two queues of `Orders`, and a group that lags in one. */
async function livingStore(t: ExecutionContext): Promise<MessageStore> {
  const store = await openStore(t, { mappedFileSizeConsumeQueue: 2000, maxHashSlotNum: 50, maxIndexNum: 400 });
  for (let n = 0; n < 40; n++)
    await store.putMessage(numbered(n, 20, { topic: "Orders", queueId: n % 2 === 0 ? 0 : 2, keys: [`key-${n}`], tags: "paid" }));
  await dispatchedAll(store);
  store.consumerOffsets.commit("billing", "Orders", 2, 13);
  store.consumerOffsets.commit("shipping", "Orders", 2, 20);
  await store.consumerOffsets.persist();
  return store;
}

test.serial(
  "beside a living store: how many messages a topic has, the last five of a queue, the one with a key, who lags",
  async (t) => {
    const { storePathRootDir: root } = (await livingStore(t)).config;
    const json = (...args: string[]): unknown => JSON.parse(millrace([...args, "--json"]).stdout);
    t.deepEqual(json("topics", root), [{ topic: "Orders", queues: 2, messages: 40 }]);
    t.like(json("stat", root), { state: "open", processId: process.pid, messages: 40, queues: 2, groups: 2 });
    const tail = millrace(["tail", root, "Orders", "2", "-n", "5"]);
    t.deepEqual(
      tail.stdout
        .trim()
        .split("\n")
        .map((line) => /#(\d+) .*"(\d+);/.exec(line)?.slice(1)),
      [15, 16, 17, 18, 19].map((offset) => [String(offset), String(2 * offset + 1)]),
    );
    t.like(json("query", root, "Orders", "key-7"), { queueId: 2, queueOffset: 3, keys: ["key-7"], bodyText: "7;".padEnd(20, "x") });
    t.like(json("offsets", "list", root), [
      { group: "billing", lag: 7, offset: 13, maxOffset: 20 },
      { group: "shipping", lag: 0 },
    ] as object);
    t.like(json("verify", root), { records: 40, units: 40, indexItems: 40, damaged: [] });
    const queues = json("topics", root, "Orders") as object[];
    t.like(queues[1], { queueId: 2, minOffset: 0, maxOffset: 20, messages: 20 });
    const range = millrace(["cat", root, "Orders", "0", "--from", "3", "--to", "4", "--format", "body"]);
    t.deepEqual(
      range.stdout.trim().split("\n"),
      ["6;", "8;"].map((body) => body.padEnd(20, "x")),
    );
    const keyed = millrace(["cat", root, "Orders", "--key", "key-9", "--format", "body"]);
    t.is(keyed.stdout.trim(), "9;".padEnd(20, "x"));
    const { msgId, physicalOffset } = json("cat", root, "Orders", "0", "--max", "1") as { msgId: string; physicalOffset: number };
    t.is(millrace(["cat", root, "--id", msgId, "--format", "body"]).stdout.trim(), "0;".padEnd(20, "x"));
    t.is(millrace(["cat", root, "--at", String(physicalOffset), "--format", "body"]).stdout.trim(), "0;".padEnd(20, "x"));
    t.regex(millrace(["cat", root, "Orders", "--since", "1h", "--format", "hex"]).stdout, /000000 {2}30 3b 78/);
    t.is(millrace(["cat", root, "Orders", "--until", "1h"]).stdout, "");
  },
);

test.serial("stat goes by the lock: a store that was fenced and closed is not open, though its process lives", async (t) => {
  const faults = [{ operation: "force", path: "commitlog", after: 2, code: "EIO" }] as const;
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH" }, faults);
  const root = store.config.storePathRootDir;
  const json = () => JSON.parse(millrace(["stat", root, "--json"]).stdout);
  for (let n = 0; n < 20; n++) await store.putMessage(numbered(n, 20)).catch(() => {});
  const open = json();
  t.like(open, { state: "open", processId: process.pid });
  t.truthy(open.fence);
  await store.close().catch(() => {});
  t.like(json(), { state: "not closed cleanly", processId: process.pid });
  t.regex(millrace(["stat", root]).stdout, /^state +not closed cleanly, process \d+$/m);
  t.is(millrace(["recover", root, "--dry-run"]).status, 0, "nobody writes to it");
});

test.serial("what changes a store is refused while another process has it open, and done when none has", async (t) => {
  t.timeout(300_000); // some twenty processes
  const store = await livingStore(t);
  const root = store.config.storePathRootDir;
  for (const args of [
    ["offsets", "delete", root, "billing"],
    ["put", root, "Orders"],
    ["recover", root],
  ]) {
    const { status, stderr } = millrace(args);
    t.is(status, 1, args.join(" "));
    t.regex(stderr, /^ERR_STORE_LOCKED: /);
  }
  t.is(millrace(["recover", root, "--dry-run"]).status, 2);
  await store.close();
  t.like(JSON.parse(millrace(["stat", root, "--json"]).stdout), { state: "closed" });
  t.is(millrace(["put", root, "Orders", "2"], "a\nb\n").stdout.split(",")[0], "put 2");
  const reset = JSON.parse(
    millrace(["offsets", "reset", root, "billing", "Orders", "--to", "21", "--queue", "2", "--json"]).stdout,
  );
  t.deepEqual(reset, [{ group: "billing", topic: "Orders", queueId: 2, before: 13, offset: 21 }]);
  for (const [place, offset] of [
    ["earliest", 0],
    ["latest", 22],
    ["1h", 0],
  ] as const) {
    const [row] = JSON.parse(
      millrace(["offsets", "reset", root, "billing", "Orders", "--to", place, "--queue", "2", "--json"]).stdout,
    );
    t.is(row.offset, offset, place);
  }
  t.is(millrace(["offsets", "reset", root, "billing", "Orders", "--to", "4711", "--queue", "2"]).status, 2);
  t.is(millrace(["offsets", "delete", root, "billing"]).status, 0);
  t.is(millrace(["offsets", "delete", root, "billing"]).status, 1);
  const listed = JSON.parse(millrace(["offsets", "list", root, "--json"]).stdout) as { group: string }[];
  t.deepEqual(
    listed.map(({ group }) => group),
    ["shipping"],
  );
  const copy = join(temporaryDirectory(t), "copy");
  t.is(millrace(["snapshot", root, copy]).status, 0);
  t.deepEqual(JSON.parse(millrace(["topics", copy, "--json"]).stdout), [{ topic: "Orders", queues: 2, messages: 42 }]);
});

test.serial("tail -f prints what comes, in queues that come too, and ends well when it is interrupted", async (t) => {
  const store = await livingStore(t);
  const child = spawn(process.execPath, [
    ...bundledStore(),
    MAIN,
    "tail",
    store.config.storePathRootDir,
    "Orders",
    "-f",
    "-n",
    "0",
    "--format",
    "body",
  ]);
  t.teardown(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const has = async (n: number, queueId: number): Promise<void> => {
    // The command may not have begun yet: what comes before counts as seen.
    await until(async () => {
      await store.putMessage(numbered(n, 5, { topic: "Orders", queueId }));
      return output.includes(`${n};`);
    });
  };
  await has(100, 2);
  await has(200, 7);
  child.kill("SIGINT");
  t.is(await new Promise((resolve) => child.on("close", resolve)), 0);
});

test.serial("recover --dry-run says what would be cut, and changes nothing", (t) => {
  const root = join(temporaryDirectory(t), "store");
  cpSync(join(FIXTURES_DIRECTORY, "rocketmq-5.3.3"), root, { recursive: true });
  const last = join(root, "commitlog", "00000000000000008192");
  writeFileSync(last, readFileSync(last).fill("torn", 0, 4));
  writeFileSync(join(root, "abort"), "");
  const facts = (): string[] =>
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .sort()
      .map((name) => `${name} ${statSync(join(root, name)).mtimeMs}`);
  const before = facts();
  const dry = JSON.parse(millrace(["recover", root, "--dry-run"]).stdout);
  t.deepEqual(facts(), before);
  t.deepEqual(readdirSync(join(root, "..")), ["store"]);
  const done = JSON.parse(millrace(["recover", root]).stdout);
  t.deepEqual([dry.maxOffset, dry.rows], [done.maxOffset, done.rows]);
  t.notDeepEqual(facts(), before);
});

test.serial("verify names a damaged record, unit and index item, each with its place, and exits with 3", async (t) => {
  const store = await livingStore(t);
  const root = store.config.storePathRootDir;
  const { physicalOffset } = store.queryMessage({ topic: "Orders", key: "key-9" }).messages[0] ?? { physicalOffset: -1 };
  await store.close();
  const flip = (directory: string, position: number): string => {
    const [name = ""] = readdirSync(join(root, directory)).sort();
    const path = join(root, directory, name);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(position) ^ 1, position);
    writeFileSync(path, bytes);
    return path;
  };
  const log = flip("commitlog", physicalOffset + 90); // in the body
  const queue = flip("consumequeue/Orders/0", 5 * 20 + 7); // the physical offset of unit 5
  const index = flip("index", 40 + 50 * 4 + 3 * 20 + 3); // the hash of item 3
  const { status, stdout } = millrace(["verify", root, "--json"]);
  t.is(status, 3);
  const { damaged } = JSON.parse(stdout) as {
    damaged: { kind: string; path: string; physicalOffset: number; queueOffset?: number }[];
  };
  t.deepEqual(
    damaged.map(({ kind, path, queueOffset }) => [kind, path, queueOffset]),
    [
      ["record", log, undefined],
      ["unit", queue, 5],
      ["index", index, undefined],
    ],
  );
  t.is(damaged.find(({ kind }) => kind === "record")?.physicalOffset, physicalOffset);
});

test.serial("a directory that is no store is never turned into one, but for put --create", async (t) => {
  const empty = join(temporaryDirectory(t), "empty");
  mkdirSync(empty);
  const missing = `${empty}-not`;
  const commands = [
    "stat",
    "topics",
    "tail T",
    "cat T",
    "query T k",
    "offsets list",
    "offsets reset g T --to latest",
    "verify",
    "put T",
  ];
  const statuses = await Promise.all(
    commands.flatMap((line) => {
      const words = line.split(" ");
      const names = words[0] === "offsets" ? 2 : 1;
      return [empty, missing].map(async (directory) => {
        const args = [...bundledStore(), MAIN, ...words.slice(0, names), directory, ...words.slice(names)];
        const child = spawn(process.execPath, args, { stdio: "ignore" });
        return [line, await new Promise((resolve) => child.on("close", resolve))];
      });
    }),
  );
  t.deepEqual(
    statuses,
    commands.flatMap((line) => [
      [line, 1],
      [line, 2],
    ]),
  );
  t.deepEqual(readdirSync(empty), []);
  t.false(existsSync(missing));
  t.is(millrace(["put", missing, "T", "--create", "--sync"], "one\ntwo\n").status, 0);
  t.is(millrace(["put", missing, "T", "--create"], "one\n").status, 2);
  t.is(millrace(["tail", missing, "T", "--format", "body"]).stdout, "one\ntwo\n");
});

test.serial("put --create makes the store where and as large as it is told, and not of a log that is there", async (t) => {
  const parent = temporaryDirectory(t);
  const [root, log] = [join(parent, "store"), join(parent, "log")];
  const given = ["--create", "--storePathCommitLog", log, "--mappedFileSizeCommitLog", "64KiB"];
  const made = millrace(["put", root, "T", ...given], "one\n");
  t.is(made.status, 0, made.stderr);
  t.is(statSync(join(log, "00000000000000000000")).size, 64 * 1024);
  t.false(existsSync(join(root, "commitlog")));
  const other = millrace(["put", join(parent, "other"), "T", ...given], "one\n");
  t.deepEqual([other.status, existsSync(join(parent, "other"))], [2, false]);
  t.regex(other.stderr, /--storePathCommitLog=/);
});

test.serial("bad options are refused with the option's name, and a topic that is not there with those that are", async (t) => {
  const { storePathRootDir: root } = (await livingStore(t)).config;
  const refused: readonly (readonly [string, RegExp])[] = [
    ["tail Nope", /topic=Nope \(there are: Orders\)/],
    ["tail Orders 5", /only 0, 2: queueId=5/],
    ["tail Orders -n x", /--lines=x/],
    ["tail Orders --format yaml", /line, json, hex, body are known: --format=yaml/],
    ["cat Orders --since noon", /--since=noon/],
    ["cat", /a topic, --id or --at/],
    ["cat Orders --id 00", /leave the topic out/],
    ["query Orders", /missing required argument 'key'/],
    ["offsets", /unknown command/],
  ];
  for (const [line, message] of refused) {
    const [name = "", ...args] = line.split(" ");
    const { status, stderr } = millrace([name, root, ...args]);
    t.is(status, 2, line);
    t.regex(stderr, message);
  }
  t.is(millrace(["query", root, "Orders", "nobody"]).status, 1);
  t.regex(millrace(["cat", root, "--id", "00"]).stderr, /^ERR_MESSAGE_ID_ILLEGAL/);
});

test.serial("bench measures, and leaves nothing", (t) => {
  const parent = temporaryDirectory(t);
  const { status, stdout } = millrace(["bench", "--duration", "200ms", "--inFlight", "50", "--in", parent, "--sync", "--json"]);
  t.is(status, 0);
  const result = JSON.parse(stdout);
  t.true(result.messages >= 50 && result.messagesPerSecond > 0 && result.putToAckUs.p99 >= result.putToAckUs.p50);
  t.is(result.flushDiskType, "SYNC_FLUSH");
  t.deepEqual(readdirSync(parent), []);
});

test("cat says that a file of the queue is missing, and goes on behind it", async (t) => {
  const store = await openStore(t, { mappedFileSizeConsumeQueue: 2000, maxHashSlotNum: 50, maxIndexNum: 400 });
  const { storePathRootDir: root } = store.config;
  await Promise.all(Array.from({ length: 250 }, (_, n) => store.putMessage(numbered(n, 20))));
  await store.close();
  rmSync(join(root, "consumequeue", "TopicA", "0", "2000".padStart(20, "0")));
  const cat = millrace(["cat", root, "TopicA", "0", "--format", "body"]);
  const numbers = cat.stdout.trim().split("\n").map(Number.parseFloat);
  t.deepEqual(numbers, [...range(0, 100), ...range(200, 250)]);
  t.regex(cat.stderr, /^a file of the ConsumeQueue is missing.*: topic=TopicA queueId=0 queueOffset=100\n$/);
});
