import test from "ava";
import { parseBenchRequest } from "#scripts/bench/bench-request.js";
import type { ContestantName, Durability, Measurement } from "#scripts/bench/contestants/workload.js";
import { figureNames } from "#scripts/bench/figures/figures.js";
import { figuresNeed, judgeFigures } from "#scripts/bench/figures/figures-to-reach.js";
import { Results } from "#scripts/bench/figures/results.js";
import { measurement } from "../../support/bench-measurement.js";

const MIB = 1024 * 1024;

type Figure = readonly [ContestantName, Durability, number, number, number, Partial<Measurement>?];

function resultsOf(...figures: readonly Figure[]): Results {
  const results = new Results();
  for (const [contestant, durability, messageSize, inFlight, msgPerSec, more] of figures) {
    results.add({ contestant, durability, messageSize, inFlight }, measurement(msgPerSec, more));
  }
  return results;
}

const judged = (results: Results, name: string, cores = 2) =>
  judgeFigures(results, cores).find((figure) => figure.name.startsWith(name));

test("what was not measured is neither reached nor missed", (t) => {
  for (const figure of judgeFigures(new Results(), 2))
    t.deepEqual([figure.measured, figure.reached], ["-", undefined], figure.name);
});

test("--figures measures what each line needs, and nothing that the bench does not have", (t) => {
  t.deepEqual(parseBenchRequest(["--figures", "--quick"]).only, figuresNeed());
  const names = figureNames();
  for (const need of figuresNeed()) t.true(names.includes(need), need);
});

test("six lines are the README's", (t) => {
  t.is(judgeFigures(new Results(), 2).filter(({ isInReadme }) => isInReadme).length, 6);
});

test("the better append mode stands against the best peer, by their medians, and just enough is enough", (t) => {
  const results = resultsOf(
    ["store-mapped", "page-cache", 128, 1024, 1_000_000],
    ["store-channel", "page-cache", 128, 1024, 1_200_000],
    ["store-channel", "page-cache", 128, 1024, 1_200_000],
    ["store-channel", "page-cache", 128, 1024, 9_000_000],
    ["lmdb", "page-cache", 128, 1024, 900_000],
    ["java-warm", "page-cache", 128, 1024, 1_000_000],
    ["raw", "page-cache", 128, 1024, 60_000_000],
  );
  const name = "ASYNC_FLUSH 128 B, 1024 in flight";
  t.like(judged(results, name), { measured: "1.20 x", wanted: "at least 1.2 x", reached: true });
  t.regex(judged(results, name)?.detail ?? "", /store-channel 1\.20 M\/s at 1\.30 us of CPU; java-warm 1\.00 M\/s/);
});

test("the machine's cores decide what is wanted", (t) => {
  const results = resultsOf(
    ["store-mapped", "page-cache", 128, 1024, 1_300_000, { cpuNs: 1100 }],
    ["lmdb", "page-cache", 128, 1024, 1_000_000],
  );
  const name = "ASYNC_FLUSH 128 B, 1024 in flight";
  t.like(judged(results, name, 7), { reached: true });
  t.like(judged(results, name, 8), { wanted: "at least 1.8 x", reached: false });
  t.like(judged(results, "CPU of the whole process", 2), { measured: "1.10 us", reached: true });
  t.like(judged(results, "CPU of the whole process", 16), { measured: "1.10 us", wanted: "-", reached: undefined });
});

test("a latency is reached from below", (t) => {
  const of = (p50Us: number, p999Us: number) =>
    resultsOf(["raw", "disk", 128, 1, 1, { p50Us: 100, p999Us: 100 }], ["store-channel", "disk", 128, 1, 1, { p50Us, p999Us }]);
  const name = "SYNC_FLUSH 128 B, one in flight, p";
  t.like(judged(of(140, 501), `${name}50`), { measured: "1.40 x", reached: true });
  t.like(judged(of(141, 501), `${name}50`), { reached: false });
  t.like(judged(of(141, 501), `${name}99.9`), { reached: false });
  t.like(judged(of(141, 500), `${name}99.9`), { reached: true });
});

test("the driver is taken from the main thread's time", (t) => {
  const results = resultsOf(
    ["store-mapped", "page-cache", 128, 1024, 1, { mainNs: 560 }],
    ["driver", "page-cache", 128, 1024, 1, { mainNs: 110 }],
  );
  t.like(judged(results, "main thread per put"), { measured: "0.45 us", reached: true, detail: "the driver 0.11 us" });
});

test("keys are judged round by round", (t) => {
  const results = resultsOf(
    ["store-mapped", "page-cache", 128, 1024, 1000],
    ["store-keys", "page-cache", 128, 1024, 600],
    ["store-mapped", "page-cache", 128, 1024, 100],
    ["store-keys", "page-cache", 128, 1024, 70],
    ["store-mapped", "page-cache", 128, 1024, 5000],
    ["store-keys", "page-cache", 128, 1024, 500],
  );
  t.like(judged(results, "ASYNC_FLUSH 128 B with a key"), { measured: "0.60 x", reached: true });
});

test("four producers on other threads are held against one", (t) => {
  const results = new Results();
  const name = "ASYNC_FLUSH 128 B, 4 producer threads";
  t.like(judged(results, name, 8), { measured: "-", wanted: "at least 2.5 x", reached: undefined });
  results.addProducers(1, { msgPerSec: 1e6, cpuNs: 1 });
  results.addProducers(4, { msgPerSec: 2.5e6, cpuNs: 1 });
  t.like(judged(results, name, 8), { measured: "2.50 x", reached: true });
});

test("opening, blocks, readability and reading each have their line", (t) => {
  const results = new Results();
  results.openings.push({
    logBytes: 10 * 1024 * MIB,
    newSeconds: [0.1, 0.15, 0.2],
    closedSeconds: [0.201],
    killedSeconds: [0.6],
    newBlocksBytes: 8 * MIB,
  });
  t.like(judged(results, "open: new"), { measured: "150 ms", reached: true });
  t.like(judged(results, "open: a log of --gib (10), closed"), { measured: "201 ms", reached: false, detail: "10.0 GiB" });
  t.like(judged(results, "open: a log of --gib (10), killed"), { measured: "600 ms", reached: true });
  t.like(judged(results, "blocks on disk"), { measured: "8.0 MiB", reached: true });
  const lag = { maxMsgPerSec: 2e6, msgPerSec: 1e6, polledP50Us: 1, wokenP50Us: 1, wokenP99Us: 1, probes: 1 };
  for (const polledP99Us of [400, 3000, 9000]) results.dispatchLags.push({ ...lag, polledP99Us });
  t.like(judged(results, "put to readable"), { measured: "3.00 ms", reached: true, detail: "at 1.00 M/s" });
  results.addRead("store", { scanMsgPerSec: 9e6, getP50Us: 1, getP99Us: 1 });
  results.addRead("java", { scanMsgPerSec: 10e6, getP50Us: 1, getP99Us: 1 });
  t.like(judged(results, "getMessage of 32 views"), { measured: "0.90 x", reached: false });
});
