import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ERROR_CODES, MessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { bundledStore } from "../../support/bundled-store.js";
import { projectRoot } from "../../support/project-root.js";
import { numbered, openStore } from "../../support/temporary-store.js";
import { dispatchedAll } from "../../support/until.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Its standard input stays open after the lines, as a terminal's does, unless it is to be ended. */
async function millrace(
  t: ExecutionContext,
  args: readonly string[],
  lines = "",
  isEnded = false,
  flags: readonly string[] = bundledStore(),
): Promise<Ended> {
  const child = spawn(process.execPath, [...flags, MAIN, ...args]);
  t.teardown(() => child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on("error", () => {}); // it may have ended before it has read all
  child.stdin.write(lines);
  if (isEnded) child.stdin.end();
  const [status] = await once(child, "close");
  return { status, stdout, stderr };
}

/** Closed: ten messages in queue 0 of `Orders`, three in queue 1; a group has committed 9 and 2. */
async function closedStore(t: ExecutionContext): Promise<string> {
  const store = await openStore(t);
  for (let n = 0; n < 13; n++) await store.putMessage(numbered(n, 20, { topic: "Orders", queueId: n < 10 ? 0 : 1 }));
  await dispatchedAll(store);
  store.consumerOffsets.commit("billing", "Orders", 0, 9);
  store.consumerOffsets.commit("billing", "Orders", 1, 2);
  await store.close();
  return store.config.storePathRootDir;
}

async function committed(root: string): Promise<(number | undefined)[]> {
  await using reader = await MessageStore.openReadOnly(root);
  return [0, 1, 77].map((queueId) => reader.consumerOffsets.get("billing", "Orders", queueId));
}

async function isClosed(root: string): Promise<boolean> {
  await using reader = await MessageStore.openReadOnly(root);
  return reader.stats().abort === undefined;
}

test("offsets reset that is refused for one queue has moved none, and a queue that is not there is refused", async (t) => {
  const root = await closedStore(t);
  for (const [place, message] of [
    [["--to", "5"], /the queue ends before that: topic=Orders queueId=1 --to=5/],
    [["--to", "latest", "--queue", "77"], /only 0, 1: queueId=77/],
    [["--to", "0", "--queue", "77"], /only 0, 1: queueId=77/],
  ] as const) {
    const { status, stderr } = await millrace(t, ["offsets", "reset", root, "billing", "Orders", ...place]);
    t.is(status, 2);
    t.regex(stderr, message);
    t.deepEqual(await committed(root), [9, 2, undefined], place.join(" "));
  }
  t.is((await millrace(t, ["offsets", "reset", root, "billing", "Orders", "--to", "3"])).status, 0);
  t.deepEqual(await committed(root), [3, 3, undefined]);
});

test("a command whose store cannot be closed either says what it failed of", async (t) => {
  const root = await closedStore(t);
  mkdirSync(join(root, "config", "consumerOffset.json.tmp"));
  const { status, stderr } = await millrace(t, ["offsets", "reset", root, "billing", "Orders", "--to", "earliest"]);
  t.is(status, 1);
  t.regex(stderr, /^ERR_PATH_UNUSABLE: .*consumerOffset/m);
});

test("put ends at the first put that is rejected: with its code, meaning and remedy, the counts, and a closed store", async (t) => {
  const root = await closedStore(t);
  const illegal = await millrace(t, ["put", root, "no such!", "--json"], "a\nb\n");
  t.is(illegal.status, 1, illegal.stderr);
  t.like(JSON.parse(illegal.stdout), { put: 0, refused: 0 });
  const [message = "", ...sentences] = illegal.stderr.trim().split("\n");
  t.regex(message, /^ERR_TOPIC_ILLEGAL: /);
  t.deepEqual(sentences, [ERROR_CODES.ERR_TOPIC_ILLEGAL.meaning, ERROR_CODES.ERR_TOPIC_ILLEGAL.remedy]);
  t.true(await isClosed(root));
  writeFileSync(join(root, "millrace.fence"), JSON.stringify({ reason: "EIO", offset: 0, time: 1 }));
  const fenced = await millrace(t, ["put", root, "Orders"], "a\nb\n");
  t.is(fenced.status, 1, fenced.stderr);
  t.regex(fenced.stdout, /^put 0, in the log only 0, refused 0, rejected \d, last msgId -\n$/);
  t.regex(fenced.stderr, /^ERR_STORE_FENCED: /m);
  t.notRegex(fenced.stderr, /^ {4}at /m);
});

test("put counts what is put, and what is refused, to the end of its input", async (t) => {
  const root = await closedStore(t);
  const { status, stdout, stderr } = await millrace(t, ["put", root, "Orders"], `a\n${"x".repeat(5 * 1024 * 1024)}\nb\n`, true);
  t.is(status, 1);
  t.regex(stdout, /^put 2, in the log only 0, refused 1, rejected 0, last msgId [0-9A-F]{32}\n$/);
  t.regex(stderr, /^not put: status=MESSAGE_ILLEGAL /);
});

/** A module with which a process is begun: what is put to its stores gets these answers, one after the other, where it has been put. */
function answering(statuses: readonly string[]): string {
  const source = `import { MessageStore } from ${JSON.stringify(import.meta.resolve("@millrace/store"))};
    const statuses = ${JSON.stringify(statuses)};
    const { putMessage } = MessageStore.prototype;
    MessageStore.prototype.putMessage = async function (message) {
      const status = statuses.shift();
      return { ...(await putMessage.call(this, message)), status };
    };`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

test("put says what is in the log and not acknowledged as durable or replicated, with its msgId, and exit code 1", async (t) => {
  const root = await closedStore(t);
  const statuses = ["PUT_OK", "FLUSH_DISK_TIMEOUT", "FLUSH_SLAVE_TIMEOUT", "SLAVE_NOT_AVAILABLE"];
  const flags = ["--import", answering([...statuses, ...statuses])];
  for (const format of [[], ["--json"]]) {
    const { status, stdout, stderr } = await millrace(t, ["put", root, "Late", ...format], "a\nb\nc\nd\n", true, flags);
    t.is(status, 1, stderr);
    if (format.length > 0) t.like(JSON.parse(stdout), { put: 1, inLogOnly: 3, refused: 0, rejected: 0 });
    else t.regex(stdout, /^put 1, in the log only 3, refused 0, rejected 0, last msgId [0-9A-F]{32}\n$/);
    const lines = stderr.trim().split("\n");
    t.is(lines.length, 3);
    for (const [n, line] of lines.entries()) {
      const [, told, msgId = ""] = /^in the log, and not acknowledged as .*: status=(\S+) msgId=(\S+)$/.exec(line) ?? [];
      t.is(told, statuses[n + 1]);
      await using reader = await MessageStore.openReadOnly(root);
      t.is(reader.lookMessageById(msgId)?.body.toString(), "bcd"[n]);
    }
  }
});

test("tail -f of what cannot be followed ends, with code, meaning and remedy", async (t) => {
  const root = await closedStore(t);
  const { status, stderr } = await millrace(t, ["tail", root, "no such!", "0", "-f"]);
  t.is(status, 1);
  const { meaning, remedy } = ERROR_CODES.ERR_TOPIC_ILLEGAL;
  t.deepEqual(stderr.trim().split("\n").slice(1), [meaning, remedy]);
});
