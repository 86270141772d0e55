import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { UsageError } from "@millrace/cli/usage-error";
import test from "ava";
import { loadUsage, parseLoadOptions } from "#scripts/load-generator/load-options.js";
import { bundledStore } from "../../support/bundled-store.js";

const MAIN = fileURLToPath(import.meta.resolve("#scripts/load-generator/main.js"));

/** Bad command lines, and what the reason must name. */
const BAD: readonly (readonly [line: string, reason: RegExp])[] = [
  ["--nonsense", /--nonsense/],
  ["-z", /-z/],
  ["positional", /positional/],
  ["--topic", /--topic/],
  ["--topic=a/b", /--topic=a\/b/],
  ["--topic=", /--topic=/],
  ["--topic=..", /--topic=/],
  ["--messageSize 1kb", /--messageSize=1kb/],
  ["--messageSize 5MiB", /--messageSize=5MiB/],
  ["--messageSize=-1", /--messageSize=-1/],
  ["--messageSize 1.5KiB", /--messageSize=1\.5KiB/],
  ["--inFlight 0", /--inFlight=0/],
  ["--inFlight 10s", /--inFlight=10s/],
  ["--rate 1e3", /--rate=1e3/],
  ["--duration 5kg", /--duration=5kg/],
  ["--duration 0", /--duration=0/],
  ["--duration 100KiB", /--duration=100KiB/],
  ["--flushDiskType ASYNC", /--flushDiskType=ASYNC/],
  ["--keyEnable=yes", /--keyEnable=yes/],
  ["--storePathRootDir=", /--storePathRootDir=/],
  ["--queues 2 --queues 3", /more than once: --queues/],
  ["--messageQuantity 10 --duration 1s", /--messageQuantity=10 --duration=1s/],
  ["--rate 10 --inFlight 10", /--rate=10 --inFlight=10/],
  ["--messageQuantity 10 --batchSize 3", /--messageQuantity=10 --batchSize=3/],
  ["--batchSize 5000 --messageSize 1KiB", /--batchSize=5000/],
  ["--messageSize 1MiB --mappedFileSizeCommitLog 1MiB", /--mappedFileSizeCommitLog=1048576/],
  ["--messageSize 4MiB --inFlight 1024", /--inFlight=1024/],
  ["--keep --storePathRootDir=x", /--keep/],
  ["--consume --messageSize 7", /--messageSize=7/],
  ["--consume --topics 100 --queues 100", /--topics=100 --queues=100/],
  ["--restart", /--restart without --consume/],
  ["--consume --restart --messageQuantity 3 --batchSize 3", /--messageQuantity=3/],
  ["--consume=maybe", /--consume=maybe/],
  ["--producers 3 --consume", /--producers=3/],
  ["--producers 3 --inFlight 2", /--producers=3 --inFlight=2/],
  ["--producers 3 --messageQuantity 8 --batchSize 4", /--producers=3 .*--messageQuantity=8/],
  [`--producers 2 --topic ${"t".repeat(125)}`, /--topic=t+/],
  ["--report no-such-directory/out.html", /--report=no-such-directory/],
  ["--report .", /--report=\./],
];

for (const [line, reason] of BAD) {
  test(`the line "${line}" is refused with its reason`, (t) => {
    const error = t.throws(() => parseLoadOptions(line.split(" ")), { instanceOf: UsageError });
    t.regex(error?.message ?? "", reason);
  });
}

test("without options a run has RocketMQ's benchmark topic and body, a window and a duration", (t) => {
  const options = parseLoadOptions([]);
  t.like(options, {
    topic: "BenchmarkTest",
    messageSize: 128,
    inFlight: 1024,
    duration: 5,
    flushDiskType: "ASYNC_FLUSH",
    keyEnable: false,
  });
  t.is(options.rate, undefined);
  t.is(options.messageQuantity, undefined);
});

test("RocketMQ's short forms, units and both ways to give a switch are understood", (t) => {
  const options = parseLoadOptions([
    "-t",
    "T",
    "-s",
    "2KiB",
    "-w",
    "7",
    "-k",
    "true",
    "-q",
    "90",
    "-l",
    "3",
    "--json",
    "--warmMapedFileEnable=false",
  ]);
  t.like(options, { topic: "T", messageSize: 2048, inFlight: 7, keyEnable: true, messageQuantity: 90, tags: 3, json: true });
  t.is(options.warmMapedFileEnable, false);
  t.is(options.duration, undefined);
  t.is(parseLoadOptions(["-k", "-d", "1500ms"]).keyEnable, true);
  t.is(parseLoadOptions(["-k", "-d", "1500ms"]).duration, 1.5);
  t.is(parseLoadOptions(["-k", "false"]).keyEnable, false);
  t.is(parseLoadOptions(["-r", "5"]).inFlight, undefined);
});

test("the command prints usage and reason to stderr and exits with 2", (t) => {
  for (const line of ["--nonsense", "--restart", "--transientStorePoolEnable --flushDiskType SYNC_FLUSH"]) {
    const run = spawnSync(process.execPath, [...bundledStore(), MAIN, ...line.split(" ")], { encoding: "utf8" });
    t.is(run.status, 2, run.stderr);
    t.true(run.stderr.startsWith("usage:"), run.stderr);
    t.not(run.stderr.trimEnd().split("\n").at(-1), loadUsage().split("\n").at(-1));
  }
});

test("--help prints the usage to stdout and exits with 0", (t) => {
  const run = spawnSync(process.execPath, [...bundledStore(), MAIN, "--help"], { encoding: "utf8" });
  t.is(run.status, 0);
  t.is(run.stdout, `${loadUsage()}\n`);
  t.is(run.stderr, "");
});
