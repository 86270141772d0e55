import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import test from "ava";
import type { LoadSummary } from "#scripts/load-generator/load-summary.js";
import { bundledStore } from "../../support/bundled-store.js";

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
