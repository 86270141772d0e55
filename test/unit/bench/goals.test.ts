import test from "ava";
import { parseBenchOptions } from "#scripts/bench/figures/bench-options.js";
import { judge } from "#scripts/bench/figures/figures.js";
import { type Cell, median, Results } from "#scripts/bench/figures/results.js";
import { formatReport } from "#scripts/bench/report.js";
import { UsageError } from "#scripts/load-generator/usage-error.js";

function resultsOf(
  ...figures: readonly (readonly [Cell["contestant"], Cell["durability"], number, number, number, number])[]
): Results {
  const results = new Results();
  for (const [contestant, durability, messageSize, inFlight, msgPerSec, p50Us] of figures) {
    results.add({ contestant, durability, messageSize, inFlight }, { messages: 1, msgPerSec, p50Us, p99Us: 2 * p50Us });
  }
  return results;
}

const verdict = (results: Results, name: string) => judge(results).find((goal) => goal.name.startsWith(name));

test("a goal that was not measured is neither reached nor missed", (t) => {
  for (const goal of judge(new Results())) t.is(goal.reached, undefined, goal.name);
});

test("the median decides, of the better append mode", (t) => {
  const goal = verdict(
    resultsOf(
      ["store-mapped", "page-cache", 128, 1024, 2_000_000, 1],
      ["store-mapped", "page-cache", 128, 1024, 900_000, 1],
      ["store-mapped", "page-cache", 128, 1024, 800_000, 1],
      ["store-channel", "page-cache", 128, 1024, 950_000, 1],
    ),
    "ASYNC_FLUSH, one promise per message, 128 B",
  );
  t.is(goal?.reached, false);
  t.is(goal?.measured, "0.95 M/s (store-channel)");
});

test("the best peer is the one that is fastest, and just enough is enough", (t) => {
  const peers = [
    ["lmdb", "disk", 1024, 1024, 50_000, 1],
    ["better-sqlite3", "disk", 1024, 1024, 100_000, 1],
  ] as const;
  const name = "SYNC_FLUSH, 1024 in flight, 1024 B";
  t.is(verdict(resultsOf(...peers, ["store-mapped", "disk", 1024, 1024, 300_000, 1]), name)?.reached, true);
  t.is(verdict(resultsOf(...peers, ["store-mapped", "disk", 1024, 1024, 299_999, 1]), name)?.reached, false);
});

test("a latency goal is reached from below", (t) => {
  const raw = ["raw", "disk", 128, 1, 1, 100] as const;
  t.is(verdict(resultsOf(raw, ["store-channel", "disk", 128, 1, 1, 150]), "SYNC_FLUSH, 1 in flight")?.reached, true);
  t.is(verdict(resultsOf(raw, ["store-channel", "disk", 128, 1, 1, 151]), "SYNC_FLUSH, 1 in flight")?.reached, false);
});

test("memory that grows misses its goal, however little it is", (t) => {
  const results = new Results();
  const mib = 1024 * 1024;
  results.memory.push({
    messages: 1e7,
    peakBytes: 60 * mib,
    earlyBytes: 40 * mib,
    lateBytes: 60 * mib,
    ringBytes: 0,
    mappedPeakBytes: 0,
  });
  t.is(verdict(results, "memory")?.reached, false);
});

test("an even number of rounds has the mean of the middle two as median", (t) => {
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([9, 1, 5]), 5);
  t.deepEqual(median([]), Number.NaN);
});

test("the report names machine, peers, verdicts and figures", (t) => {
  const machine = {
    date: "2026-01-01T00:00:00.000Z",
    cpu: "CPU",
    cores: 2,
    memoryGiB: 4,
    kernel: "Linux 6",
    fileSystem: "ext2/3/4",
    node: "v20",
    loadAverage: 0.1,
  };
  const results = resultsOf(["store-mapped", "page-cache", 128, 1024, 1_100_000, 900]);
  const report = formatReport(results, machine, 5, { lmdb: "3.5.6" });
  t.regex(report, /CPU, 2 cores, 4 GiB; Linux 6; ext2\/3\/4; Node v20/);
  t.regex(report, /lmdb 3\.5\.6/);
  t.regex(report, /\| 1\.10 M\/s \(store-mapped\) +\| 1\.0 M\/s +\| pass \|/);
  t.regex(report, /\| store-mapped \| ASYNC_FLUSH +\| 1\.10 M \(900 us \/ 1800 us\) \|/);
});

test("bad options are refused with their reason", (t) => {
  for (const line of ["--rounds 0", "--seconds 5kg", "--gib 0", "--nonsense", "x"]) {
    t.throws(() => parseBenchOptions(line.split(" ")), { instanceOf: UsageError }, line);
  }
  t.like(parseBenchOptions(["--quick", "--only", "disk,seed"]), { rounds: 1, only: ["disk", "seed"] });
  t.is(parseBenchOptions([]).rounds, 5);
  t.is(parseBenchOptions(["--gib", "10"]).gib, 10);
});
