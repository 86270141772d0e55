import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import test from "ava";
import { build } from "esbuild";
import { Installation } from "#scripts/install-test/installation.js";
import { INSTALLERS } from "#scripts/install-test/installer.js";
import { packAll } from "#scripts/install-test/tarballs.js";
import { walkThrough } from "./walk-through.js";

const root = join(import.meta.dirname, "..", "..", "..");
const scratch = mkdtempSync(join(tmpdir(), "millrace-examples-"));
let installation: Installation;
/** What the examples need beside Millrace. */
const DEPENDENCIES = { express: "5.1.0", "@opentelemetry/api": "1.9.0", "@opentelemetry/sdk-metrics": "2.12.1" };
/** Loaded before an example: its store is too busy for one topic. */
const BUSY_STORE = `
import { MessageStore, MillraceError } from "millrace";
const { putMessage } = MessageStore.prototype;
MessageStore.prototype.putMessage = async function (message) {
  if (message.topic !== "Busy") return await putMessage.call(this, message);
  throw new MillraceError("ERR_PUT_TIMEOUT", "the put ring stayed full", { status: "OS_PAGE_CACHE_BUSY" });
};
`;
const stores = (name: string): string => join(scratch, "stores", name);

test.before(async (t) => {
  t.timeout(300_000);
  const tarballs = await packAll(root, mkdtempSync(join(scratch, "tarballs-")));
  const [manager] = INSTALLERS;
  if (manager === undefined) return t.fail("npm is the first");
  const directory = mkdtempSync(join(scratch, "npm-"));
  installation = await Installation.make({ directory, tarballs, manager, dependencies: DEPENDENCIES });
  for (const name of readdirSync(join(root, "examples"))) installation.add(join(root, "examples", name), name);
});

test.after.always(() => rmSync(scratch, { recursive: true, force: true }));

test("each example says what it needs, and is short", (t) => {
  for (const name of readdirSync(join(root, "examples"))) {
    const { dependencies } = JSON.parse(readFileSync(join(root, "examples", name, "package.json"), "utf8"));
    t.truthy(dependencies.millrace, name);
    const [program = ""] = readdirSync(join(root, "examples", name)).filter((file) => file.startsWith(`${name}.`));
    const lines = readFileSync(join(root, "examples", name, program), "utf8")
      .trim()
      .split("\n").length;
    t.true(lines >= 10 && lines <= 60, `${name}: ${lines} lines`);
  }
});

test.serial("outbox: what is placed is mailed, what is not placed is not", async (t) => {
  const said = await installation.node("outbox/outbox.js", stores("outbox"));
  t.deepEqual(said.trim().split("\n"), ["order 4712 is not placed: out of stock", "mail: order 4711", "mail: order 4713"]);
  const again = await installation.node("outbox/outbox.js", stores("outbox"));
  t.is(again, said);
});

test.serial("worker-producers: every message of every worker is there", async (t) => {
  const said = await installation.node("worker-producers/worker-producers.js", stores("readings"));
  t.is(said, "queue 0 has 1000 messages\nqueue 1 has 1000 messages\n");
});

test.serial("rocketmq-hand-over: the broker is given its sizes and its topics", async (t) => {
  const store = stores("orders");
  const said = await installation.node("rocketmq-hand-over/rocketmq-hand-over.js", store);
  t.regex(said, new RegExp(`storePathRootDir=${store}\nmappedFileSizeCommitLog=16777216\nmappedFileSizeConsumeQueue=300000\n$`));
  const { topicConfigTable } = JSON.parse(readFileSync(join(store, "config", "topics.json"), "utf8"));
  t.like(topicConfigTable.Orders, { topicName: "Orders", readQueueNums: 4, perm: 6 });
  t.false(readdirSync(store).includes("abort"));
});

test.serial(
  "express-ingest: what is posted is durable when it is answered, bad requests are refused, a busy store is 503, and it stops in order",
  async (t) => {
    writeFileSync(join(installation.project, "busy-store.mjs"), BUSY_STORE);
    const args = ["--import", "./busy-store.mjs", "express-ingest/express-ingest.js", stores("events")];
    const child = spawn(process.execPath, args, {
      cwd: installation.project,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.teardown(() => child.kill("SIGKILL"));
    const url = `http://127.0.0.1:${await portOf(child)}`;
    const post = (topic: string, body = "{}"): Promise<Response> =>
      fetch(`${url}/events/${topic}`, { method: "POST", body, headers: { "content-type": "application/json" } });
    const answer = await post("Clicks");
    t.is(answer.status, 202);
    t.like(await answer.json(), { offset: 0 });
    const refused = await post("SCHEDULE_TOPIC_XXXX");
    t.is(refused.status, 400);
    t.like(await refused.json(), { code: "ERR_TOPIC_ILLEGAL" });
    const busy = await post("Busy");
    t.is(busy.status, 503);
    t.like(await busy.json(), { code: "ERR_PUT_TIMEOUT" });
    t.is((await post("Clicks", "x".repeat(2 * 1024 * 1024))).status, 413);
    t.regex(await (await fetch(`${url}/metrics`)).text(), /^# HELP /);
    child.kill("SIGTERM");
    t.deepEqual(await once(child, "exit"), [0, null]);
    t.false(readdirSync(stores("events")).includes("abort"));
  },
);

test.serial("opentelemetry: what was put, how long forces take and who lags are exported", async (t) => {
  const said = await installation.node("opentelemetry/opentelemetry.js", stores("observed"));
  const shown = (name: string): string | undefined =>
    new RegExp(`name: 'millrace.${name}'[^]*?\\bvalue: (\\d+|\\{)`).exec(said)?.[1];
  t.deepEqual([shown("put.messages"), shown("consumer.lag"), shown("dispatch.behind")], ["100", "40", "0"], said);
  t.is(shown("force.duration"), "{");
  t.regex(said, /group: 'billing'/);
});

test.serial(
  "a newcomer finds out by the command alone, while a load runs: how many, the last five, one by its key, who lags",
  async (t) => {
    t.timeout(300_000);
    installation.add(join(root, "scripts", "install-test", "consumers", "orders-load.mjs"), "orders-load.mjs");
    await walkThrough(t, installation);
  },
);

test.serial("a program bundled by esbuild, with the packages beside it, puts and consumes anywhere", async (t) => {
  const consumer = join(root, "scripts", "install-test", "consumers", "put-and-consume");
  const elsewhere = mkdtempSync(join(scratch, "elsewhere-"));
  cpSync(join(installation.project, "node_modules"), join(elsewhere, "node_modules"), { recursive: true });
  for (const [source, format] of [
    ["mjs", "esm"],
    ["cjs", "cjs"],
  ] as const) {
    const outfile = join(elsewhere, `app.${source}`);
    await build({ entryPoints: [`${consumer}.${source}`], outfile, format, bundle: true, platform: "node", packages: "external" });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile, stores(source)], { cwd: scratch });
    t.like(JSON.parse(stdout), { status: "PUT_OK", consumed: 10 });
  }
});

async function portOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("no output");
  for await (const line of createInterface({ input: child.stdout })) return line.split(" ").at(-1) ?? "";
  throw new Error("it ended before it listened");
}
