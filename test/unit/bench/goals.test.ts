import { UsageError } from "@millrace/cli/usage-error";
import test from "ava";
import { parseBenchOptions } from "#scripts/bench/figures/bench-options.js";
import { judge } from "#scripts/bench/figures/figures.js";
import { type Cell, median, Results } from "#scripts/bench/figures/results.js";
import { formatReport } from "#scripts/bench/report.js";
import { measurement } from "../../support/bench-measurement.js";

function resultsOf(
  ...figures: readonly (readonly [Cell["contestant"], Cell["durability"], number, number, number, number])[]
): Results {
  const results = new Results();
  for (const [contestant, durability, messageSize, inFlight, msgPerSec, p50Us] of figures) {
    results.add({ contestant, durability, messageSize, inFlight }, measurement(msgPerSec, { p50Us, p99Us: 2 * p50Us }));
  }
  return results;
}

const verdict = (results: Results, name: string) => judge(results).find((goal) => goal.name.startsWith(name));

test("a goal that was not measured is neither reached nor missed", (t) => {
  for (const goal of judge(new Results())) t.is(goal.reached, undefined, goal.name);
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

test("the report names machine, commit, peers, verdicts and figures, and the spread beside each rate", (t) => {
  const machine = {
    date: "2026-01-01T00:00:00.000Z",
    cpu: "CPU",
    cores: 2,
    memoryGiB: 4,
    kernel: "Linux 6",
    fileSystem: "ext2/3/4",
    node: "v20",
    commit: "abc1234",
    loadAverage: 0.1,
  };
  const results = resultsOf(
    ["store-mapped", "page-cache", 128, 1024, 1_000_000, 900],
    ["store-mapped", "page-cache", 128, 1024, 1_200_000, 900],
    ["lmdb", "page-cache", 128, 1024, 1_000_000, 900],
  );
  const run = { machine, rounds: 2, seconds: 2, warmUpSeconds: 2, peers: { lmdb: "3.5.6" } };
  const report = formatReport(results, { ...run, figures: false });
  t.notRegex(report, /README|blocks on disk/, "what was not measured is not in it");
  t.regex(
    formatReport(results, { ...run, figures: true }),
    /\| blocks on disk of a new store with one message +\| - .*for the README/s,
  );
  t.regex(report, /CPU, 2 cores, 4 GiB; Linux 6; ext2\/3\/4; Node v20/);
  t.regex(report, /commit abc1234; load average before 0.10.\nMedians of 2 interleaved rounds of 2 s after 2 s of warm-up/);
  t.regex(report, /lmdb 3\.5\.6/);
  t.regex(report, /\| ASYNC_FLUSH 128 B, 1024 in flight, against the best peer +\| 1\.10 x +\| at least 1\.2 x +\| FAIL \|/);
  t.regex(report, /\| store-mapped \| ASYNC_FLUSH +\| 1\.10 M ±9 % \(900 us \/ 1800 us\), 1\.30 us +\|/);
});

test("bad options are refused with their reason", (t) => {
  for (const line of ["--rounds 0", "--seconds 5kg", "--gib 0", "--nonsense", "x"]) {
    t.throws(() => parseBenchOptions(line.split(" ")), { instanceOf: UsageError }, line);
  }
  t.like(parseBenchOptions(["--quick", "--only", "disk,seed"]), { rounds: 1, only: ["disk", "seed"] });
  t.like(parseBenchOptions([]), { rounds: 5, seconds: 2, warmUpSeconds: 2 });
  t.is(parseBenchOptions(["--gib", "10"]).gib, 10);
});
