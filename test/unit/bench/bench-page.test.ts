import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { type BenchRecord, readBenchRecord, writeBenchPage } from "#scripts/bench/bench-page.js";
import { parseBenchRequest } from "#scripts/bench/bench-request.js";
import type { Measurement } from "#scripts/bench/contestants/workload.js";
import { type Cell, Results } from "#scripts/bench/figures/results.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const MACHINE: BenchRecord["machine"] = {
  date: "2026-07-01T10:00:00.000Z",
  cpu: "a <fast> one",
  cores: 2,
  memoryGiB: 8,
  kernel: "Linux 6",
  fileSystem: "ext2/3/4",
  node: "v20",
  commit: "abc",
  loadAverage: 0.1,
};

function cell(contestant: Cell["contestant"]): Cell {
  return { contestant, durability: "disk", messageSize: 1024, inFlight: 64 };
}

function measured(msgPerSec: number): Measurement {
  const sample = { p50Us: 100, p99Us: 400, maxUs: 900, ring: 0.5, forces: 20, lag: 3, loopDelayMs: 2, gcMs: 1 };
  const samples = [0.25, 0.5].map((seconds) => ({ ...sample, seconds, rate: msgPerSec }));
  const percentiles = [[0.5, 100] as const, [0.99, 400] as const];
  const series = { samples, percentiles };
  return { messages: 2 * msgPerSec, msgPerSec, p50Us: 100, p99Us: 400, p999Us: 900, cpuNs: 2500, series };
}

function record(date: string, results: Results): BenchRecord {
  const options = parseBenchRequest(["--quick"]);
  const value = { version: 1, machine: { ...MACHINE, date }, peers: { lmdb: "3" }, options, results };
  return JSON.parse(JSON.stringify(value)) as BenchRecord;
}

test("the bench's page is one file without a script, with an earlier run laid over it", (t) => {
  const directory = temporaryDirectory(t);
  const [results, before] = [new Results(), new Results()];
  for (const rate of [30_000, 40_000, 50_000]) {
    results.add(cell("store-mapped"), measured(rate));
    results.add(cell("lmdb"), measured(rate / 10));
  }
  before.add(cell("store-mapped"), measured(20_000));
  const path = join(directory, "out.html");
  const earlierPath = join(directory, "earlier.json");
  writeFileSync(earlierPath, JSON.stringify(record("2026-06-01", before)));
  writeBenchPage(path, "# Millrace bench\n| a | b |", results, record("2026-07-01", results));
  const alone = readFileSync(path, "utf8");
  t.is(alone.match(/<svg /g)?.length, 8, "by round, and the seven of a load");
  t.true(alone.includes("disk/1024/64/store-mapped: ring full"));
  t.notRegex(alone, /<script|https?:|NaN|undefined|Dashed/);
  t.true(alone.includes("a &lt;fast&gt; one") && alone.includes("| a | b |"));
  t.regex(
    alone,
    /disk\/1024\/64\/store-mapped<\/th><td>40\.0 k<\/td><td>100 us<\/td><td>400 us<\/td><td>900 us<\/td><td>2\.50 us<\/td>/,
  );
  writeBenchPage(path, "", results, record("2026-07-01", results), readBenchRecord(earlierPath));
  const compared = readFileSync(path, "utf8");
  t.true(compared.includes("acknowledged, earlier") && compared.includes('class="a earlier"'));
  t.regex(compared, /<td>\+100 %<\/td><td>400 us<\/td>/);
  t.regex(compared, /Dashed: the earlier run, of 2026-06-01\./);
  t.notRegex(compared, /<script|https?:|NaN|undefined/);
});

test("what cannot be compared is refused before anything is measured", (t) => {
  const path = join(temporaryDirectory(t), "bad.json");
  writeFileSync(path, '{"version":1,"results":{}}');
  for (const args of [
    ["--compare", path],
    ["--report", "out.html", "--compare", path],
    ["--report", "out.html", "--compare", `${path}.missing`],
    ["--report", ""],
  ])
    t.throws(() => parseBenchRequest(args), { name: "UsageError", message: /--(?:compare|report)=/ }, args.join(" "));
});
