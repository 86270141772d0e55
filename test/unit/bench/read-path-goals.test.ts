import test from "ava";
import { figureLines, judge } from "#scripts/bench/figures/figures.js";
import type { Goal } from "#scripts/bench/figures/goal.js";
import { Results } from "#scripts/bench/figures/results.js";
import { measurement } from "../../support/bench-measurement.js";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const verdict = (results: Results, name: string): Goal | undefined => judge(results).find((goal) => goal.name.startsWith(name));

function lag(polledP50Us: number, polledP99Us: number) {
  return { maxMsgPerSec: 2, msgPerSec: 1, polledP50Us, polledP99Us, wokenP50Us: 1, wokenP99Us: 1, probes: 1 };
}

function keepUp(earlyLagBytes: number, lateLagBytes: number) {
  return { bytes: GIB, msgPerSec: 1, maxLagBytes: lateLagBytes, earlyLagBytes, lateLagBytes, catchUpMs: 1 };
}

test("a goal of the read path that was not measured is neither reached nor missed", (t) => {
  for (const goal of judge(new Results())) t.deepEqual([goal.reached, goal.measured], [undefined, "-"], goal.name);
  t.deepEqual(figureLines(new Results()), []);
});

test("dispatch lag is judged by the median of p50", (t) => {
  const results = new Results();
  results.dispatchLags.push(lag(90, 900), lag(100, 1001), lag(5000, 5000));
  t.is(verdict(results, "put to readable at half the maximum rate, p50")?.reached, true);
});

test("a dispatcher keeps up when its lag does not grow, and a small lag is none", (t) => {
  const judged = (early: number, late: number): boolean | undefined => {
    const results = new Results();
    results.keepUps.push(keepUp(early, late));
    return verdict(results, "dispatch keeps up, 1024 B, 1.0 GiB")?.reached;
  };
  t.is(judged(100 * MIB, 150 * MIB), true);
  t.is(judged(100 * MIB, 151 * MIB), false);
  t.is(judged(0, 16 * MIB), true);
  t.is(judged(0, 17 * MIB), false);
});

test("reading is judged by the store's medians, whatever the peers do", (t) => {
  const results = new Results();
  results.addRead("lmdb", { scanMsgPerSec: 9e6, getP50Us: 1, getP99Us: 1 });
  t.is(verdict(results, "sequential consume")?.reached, undefined);
  for (const scanMsgPerSec of [1e6, 1.5e6, 2e6]) results.addRead("store", { scanMsgPerSec, getP50Us: 5.1, getP99Us: 9 });
  t.is(verdict(results, "sequential consume")?.reached, true);
  t.is(verdict(results, "random get")?.reached, false);
});

test("only large messages decide how fast recovery scans", (t) => {
  const results = new Results();
  const figure = { messages: 1, logBytes: GIB, openSeconds: 1, rebuildSeconds: 2 };
  results.recoveries.push({ ...figure, messageSize: 128, scanBytesPerSec: 0.5e9 });
  t.is(verdict(results, "recovery scan")?.reached, undefined);
  results.recoveries.push({ ...figure, messageSize: 1024, scanBytesPerSec: 1e9 });
  t.is(verdict(results, "recovery scan")?.reached, true);
});

test("what dispatch costs is judged round by round, against the store without it in the same round", (t) => {
  const results = new Results();
  const cell = { durability: "page-cache", messageSize: 128, inFlight: 1024 } as const;
  for (const [alone, together] of [
    [1000, 900],
    [200, 100],
    [100, 85],
  ] as const) {
    results.add({ ...cell, contestant: "store-undispatched" }, measurement(alone));
    results.add({ ...cell, contestant: "store-mapped" }, measurement(together));
  }
  t.like(verdict(results, "ASYNC_FLUSH with dispatch, 128 B"), { measured: "85 % of the rate without it", reached: true });
  t.is(verdict(results, "ASYNC_FLUSH with dispatch, 1024 B")?.reached, undefined);
});

test("the report shows who reads how, and what was measured once", (t) => {
  const results = new Results();
  results.addRead("store", { scanMsgPerSec: 2e6, getP50Us: 3, getP99Us: 9, consumeMsgPerSec: 1e6 });
  results.addRead("lmdb", { scanMsgPerSec: 1e6, getP50Us: 1, getP99Us: 2 });
  results.dispatchLags.push(lag(80, 900));
  results.keepUps.push(keepUp(MIB, MIB));
  results.recoveries.push({
    messageSize: 1024,
    messages: 1,
    logBytes: GIB / 2,
    scanBytesPerSec: 1e9,
    openSeconds: 1,
    rebuildSeconds: 2,
  });
  const report = figureLines(results).join("\n");
  t.regex(report, /\| store +\| getMessage\(32\) and release +\| 2\.00 M +\| 3\.0 us \/ 9\.0 us +\|/);
  t.regex(report, /copies: 1\.00 M messages\/s/);
  t.regex(report, /put to readable p50 \/ p99 80 us \/ 900 us/);
  t.regex(report, /at most 1\.0 MiB behind/);
  t.regex(report, /0\.50 GiB of 1024 B messages: .*opened in 2\.00 s a GiB, without ConsumeQueues and index in 4\.00 s a GiB/);
});
