import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { ExecutionContext } from "ava";
import type { Installation } from "#scripts/install-test/installation.js";
import { launchBrowser } from "../support/browser.js";
import { projectRoot } from "../support/project-root.js";
import { until } from "../support/until.js";

const STORE = "orders-store";
const MINUTE_MS = 60_000;

/** The lines of the first section of docs/millrace.md: a newcomer types them as they stand there. */
function documentedLines(): string[] {
  const page = readFileSync(join(projectRoot(), "docs", "millrace.md"), "utf8");
  const [, section = ""] = page.split("\n## The first minute\n");
  const [, block = ""] = section.split("```text\n");
  return (block.split("\n```")[0] ?? "").split("\n");
}

/**
 * What a newcomer does with the packed package while a load runs in another process, by the command alone: how many messages a topic has,
 * the last five of a queue, the one with a key as JSON, who lags; and the page.
 */
export async function walkThrough(t: ExecutionContext, installation: Installation): Promise<void> {
  const cwd = installation.project;
  const path = [join(cwd, "node_modules", ".bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
  const env = { ...process.env, PATH: path };
  const load = spawn(process.execPath, ["orders-load.mjs", STORE], { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => load.kill("SIGKILL"));
  const said = linesOf(load);
  t.is(await said.next(), "ready");
  const [topics = "", tail = "", query = "", lags = "", top = "", ...others] = documentedLines();
  t.deepEqual(others, []);
  const type = async (line: string): Promise<string> => {
    const beganMs = performance.now();
    const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd, env });
    t.true(performance.now() - beganMs < MINUTE_MS, line);
    return stdout.trim();
  };

  const [, topic = "", queues = "", messages = ""] = /^(Orders) +(\d+) +(\d+)$/m.exec(await type(topics)) ?? [];
  t.deepEqual([topic, queues], ["Orders", "4"]);
  t.true(Number(messages) >= 8000);

  const offsets = (await type(tail)).split("\n").map((line) => Number(/#(\d+) /.exec(line)?.[1]));
  const [first = 0] = offsets;
  t.true(first >= 2000 - 5);
  t.deepEqual(
    offsets,
    [0, 1, 2, 3, 4].map((n) => first + n),
  );

  t.like(JSON.parse(await type(query)), { topic: "Orders", queueId: 3, keys: ["order-4711"], bodyText: '{"order":4711}' });

  const [, ...rows] = (await type(lags)).split("\n").map((line) => line.split(/ +/));
  t.deepEqual(
    rows.slice(0, 4).map(([group]) => group),
    Array(4).fill("billing"),
  );
  t.true(
    rows.slice(0, 4).every((row) => Number(row.at(-1)) >= 1900),
    "who lags most comes first",
  );
  t.deepEqual(new Set(rows.map(([group]) => group)), new Set(["billing", "shipping"]));

  await lookAtPage(t, spawn("sh", ["-c", `exec ${top}`], { cwd, env, stdio: ["ignore", "pipe", "inherit"] }));

  load.kill("SIGTERM");
  const total = Number(await said.next());
  t.true(total >= Number(messages) && total > first);
  t.deepEqual(await once(load, "exit"), [0, null]);
}

/** The page that the command serves: with a browser, what it shows, that nothing fails and nothing is asked of elsewhere. */
async function lookAtPage(t: ExecutionContext, command: ChildProcess): Promise<void> {
  t.teardown(() => command.kill("SIGKILL"));
  const url = await linesOf(command).next();
  const { origin } = new URL(url);
  const answer = await fetch(origin);
  t.is(answer.status, 200);
  t.regex(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/);
  const browser = await launchBrowser();
  if (typeof browser === "string") t.log(`the page was not looked at: ${browser}`);
  else {
    t.teardown(() => browser.close());
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("console", (one) => {
      if (one.type() === "error" || one.type() === "warn") faults.push(one.text());
    });
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== origin) faults.push(`request to ${request.url()}`);
    });
    await page.goto(url);
    await until(async () => /billing/.test(String(await page.evaluate(`document.getElementById("queues").innerText`))));
    t.deepEqual(faults, []);
  }
  command.kill("SIGINT");
  t.deepEqual(await once(command, "exit"), [0, null]);
}

function linesOf({ stdout }: ChildProcess): { next(): Promise<string> } {
  const lines = createInterface({ input: stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error("it ended before it said anything");
      return value as string;
    },
  };
}
