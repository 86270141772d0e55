import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import test from "ava";
import { parseLoadOptions } from "#scripts/load-generator/load-options.js";
import { runLoad } from "#scripts/load-generator/load-run.js";
import { isGood, type LoadSummary } from "#scripts/load-generator/load-summary.js";
import { openOn } from "#store/message-store.js";
import { bundledStore } from "../../support/bundled-store.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const MAIN = fileURLToPath(import.meta.resolve("#scripts/load-generator/main.js"));

function load(line: string): { status: number | null; output: string; summary: LoadSummary } {
  const run = spawnSync(process.execPath, [...bundledStore(), MAIN, ...line.split(" "), "--json"], { encoding: "utf8" });
  const output = `${run.stdout}${run.stderr}`;
  return { status: run.status, output, summary: JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "{}") };
}

test("consumers see every message once and in order, across a restart in the middle", (t) => {
  const line = "--consume --restart --messageQuantity 30000 --topics 2 --queues 3 --messageSize 64 --mappedFileSizeCommitLog 1MiB";
  const { status, output, summary } = load(line);
  t.is(status, 0, output);
  t.like(summary, { acked: 30_000, consumed: 30_000, duplicates: 0, outOfOrder: 0, foreign: 0, missing: 0, verified: 30_000 });
  t.true((summary.restartSeconds ?? 0) > 0);
  const { p50 = 0, p999 = 0, max = 0 } = summary.e2eLatencyUs ?? {};
  t.true(p50 > 0 && p50 <= p999 && p999 <= max, JSON.stringify(summary.e2eLatencyUs));
  t.regex(output, /closed and re-opened/);
  t.regex(output, /was consumed once and in order/);
});

test("batches at a fixed rate are consumed with every message of a batch", (t) => {
  const { status, output, summary } = load(
    "--consume --rate 20000 --batchSize 4 --messageQuantity 4000 --mappedFileSizeCommitLog 8MiB",
  );
  t.is(status, 0, output);
  t.like(summary, { consumed: 4000, missing: 0 });
  t.is(summary.restartSeconds, undefined);
});

test("without --consume nothing is said of consumers", (t) => {
  const { status, output, summary } = load("--messageQuantity 1000 --mappedFileSizeCommitLog 8MiB");
  t.is(status, 0, output);
  t.false("consumed" in summary || "e2eLatencyUs" in summary);
  t.notRegex(output, /consumed/);
});

test("several threads put beside one another, and each one's messages are verified", (t) => {
  const { status, output, summary } = load("--producers 3 --batchSize 2 --messageQuantity 3000 --mappedFileSizeCommitLog 8MiB -k");
  t.is(status, 0, output);
  t.like(summary, { messages: 3000, acked: 3000, failed: 0, verified: 3000, lost: 0 });
});

for (const line of [
  "--brokerRole SYNC_MASTER --duration 2s --rate 2000",
  "--brokerRole SYNC_MASTER --flushDiskType SYNC_FLUSH --consume --restart --messageQuantity 4000",
  "--producers 2 --messageQuantity 20000",
]) {
  test(`a slave in a process of its own has the master's log, byte for byte: ${line}`, (t) => {
    const { status, output, summary } = load(`--slaves 1 --mappedFileSizeCommitLog 256KiB ${line}`);
    t.is(status, 0, output);
    t.is(summary.verified, summary.messages);
    t.is(summary.replication?.slaves, 1);
    t.deepEqual(summary.replication?.differences, []);
    t.true((summary.replication?.comparedBytes ?? 0) > 256 * 1024, output);
    if (line.includes("2s")) t.true((summary.replication?.cuts ?? 0) > 0);
    t.regex(output, /each log is the master's, byte for byte/);
  });
}

test("several producers send together what was asked for, also where it is no multiple of them", (t) => {
  const { status, output, summary } = load("--producers 3 --batchSize 2 --messageQuantity 20 --mappedFileSizeCommitLog 8MiB");
  t.is(status, 0, output);
  t.like(summary, { messages: 20, verified: 20 });
});

test("a producer that ends without a word ends the load with an error", (t) => {
  const directory = temporaryDirectory(t);
  const preload = join(directory, "ends.mjs");
  writeFileSync(
    preload,
    `import { isMainThread, workerData } from "node:worker_threads";
    if (!isMainThread && workerData?.options?.topic?.endsWith("-p1")) setTimeout(() => process.exit(3), 100);`,
  );
  const line = `--producers 2 --duration 1s --mappedFileSizeCommitLog 8MiB --storePathRootDir ${join(directory, "store")}`;
  const args = [...bundledStore(), "--import", preload, MAIN, ...line.split(" ")];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 30_000, killSignal: "SIGKILL" });
  t.is(status, 1);
  t.regex(stderr, /a producer has ended by itself: producer=1 exitCode=3/);
});

test("a slave that ends by itself ends the load at once, and not when it would have been over", (t) => {
  const directory = temporaryDirectory(t);
  const preload = join(directory, "ends.mjs");
  writeFileSync(preload, 'if (process.argv.includes("replica")) setTimeout(() => process.exit(3), 3000);');
  const line = `--slaves 1 --rate 500 --duration 60s --mappedFileSizeCommitLog 8MiB --storePathRootDir ${join(directory, "store")}`;
  const { status, stderr } = spawnSync(process.execPath, [...bundledStore(), MAIN, ...line.split(" ")], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: `--import ${preload}` },
    timeout: 40_000,
    killSignal: "SIGKILL",
  });
  t.is(status, 1);
  t.regex(stderr, /a slave has ended by itself/);
});

test("a signal before the producers begin ends the load as one after it", async (t) => {
  const line = "--producers 2 --duration 60s --mappedFileSizeCommitLog 8MiB";
  const child = spawn(process.execPath, [...bundledStore(), MAIN, ...line.split(" "), "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const deadline = setTimeout(() => child.kill("SIGKILL"), 30_000);
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (text) => {
    // What a closed terminal sends. The first line is printed before the store is opened.
    if (lines.push(text) === 1) child.kill("SIGHUP");
  });
  const [status] = await once(child, "close");
  clearTimeout(deadline);
  t.is(status, 0, lines.join("\n"));
  t.true((JSON.parse(lines.at(-1) ?? "{}") as LoadSummary).interrupted);
});

for (const line of ["", "--producers 2", "--consume --restart"]) {
  test(`a store that fences itself in the middle is verified all the same, and its directory kept: ${line}`, async (t) => {
    const options = parseLoadOptions(
      `--flushDiskType SYNC_FLUSH --duration 30s --mappedFileSizeCommitLog 1MiB ${line}`.trim().split(" "),
    );
    const fault = { operation: "force", path: "commitlog", after: 5, code: "EIO" } as const;
    const lines: string[] = [];
    let opened = 0;
    const summary = await runLoad(options, {
      openStore: (store) =>
        openOn({ ...store, logger: { error: () => {} } }, opened++ === 0 ? { kind: "faulty", faults: [fault] } : { kind: "real" }),
      print: (text) => void lines.push(text),
      interrupt: new AbortController().signal,
    });
    const directory = /^store directory (\S+)$/m.exec(lines.join("\n"))?.[1] ?? "";
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    t.true(summary.acked > 0 && summary.failed > 0);
    t.is(summary.verified, summary.acked);
    t.is(summary.unexpected, 0);
    t.false(isGood(summary));
    t.regex(summary.problems.join("\n"), /the store did not close well: ERR_STORE_FENCED/);
    t.true(existsSync(join(directory, "commitlog")));
  });
}
