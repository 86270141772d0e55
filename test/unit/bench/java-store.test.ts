import { UsageError } from "@millrace/cli/usage-error";
import test from "ava";
import { parseBenchOptions } from "#scripts/bench/figures/bench-options.js";
import { JAVA_STORE } from "#scripts/bench/figures/java-store-figure.js";
import { cellName, Results } from "#scripts/bench/figures/results.js";
import { wantedCells } from "#scripts/bench/figures/wanted-cells.js";
import { WORKLOADS } from "#scripts/bench/figures/workloads-figure.js";
import { storeVersion } from "#scripts/bench/java/java-peer.js";
import { JavaProcess } from "#scripts/bench/java/java-process.js";
import { measurement } from "../../support/bench-measurement.js";

const wantsOnly =
  (part: string) =>
  (name: string): boolean =>
    name.includes(part);
const PEER = { command: process.execPath, args: [], version: "5" };

/** A program in JavaScript, in place of the JVM. */
const start = (script: string): JavaProcess =>
  new JavaProcess({ ...PEER, args: ["-e", script, "--"] }, "warm", "SYNC_FLUSH", "/directory");

const linesOf = (results: Results): string[] => JAVA_STORE.lines?.(results) ?? [];

function resultsOf(...figures: readonly (readonly [Parameters<Results["add"]>[0]["contestant"], number, object?])[]): Results {
  const results = new Results();
  for (const [contestant, msgPerSec, more] of figures) {
    const cell = { contestant, durability: "disk", messageSize: 128, inFlight: 64 } as const;
    results.add(cell, measurement(msgPerSec, { p50Us: 10, p99Us: 20, ...more }));
  }
  return results;
}

test("java-store is RocketMQ's store in three configurations beside both append modes, in every workload", (t) => {
  const names = wantedCells(wantsOnly("java-store")).map(cellName);
  t.is(names.length, 2 * 2 * 3 * 5);
  t.deepEqual(
    names.filter((name) => name.startsWith("disk/128/64/")).map((name) => name.slice("disk/128/64/".length)),
    ["store-mapped", "store-channel", "java-default", "java-warm", "java-pool"],
  );
});

test("what is asked for by its own name comes alone", (t) => {
  t.deepEqual(wantedCells(wantsOnly("disk/128/1/java-warm")).map(cellName), ["disk/128/1/java-warm"]);
  t.true(wantedCells(wantsOnly("lmdb")).every(({ contestant }) => contestant === "lmdb"));
  t.deepEqual(wantedCells(wantsOnly("consume-get")), []);
});

test("with-dispatch is the store with and without its dispatcher, at full speed", (t) => {
  t.deepEqual(wantedCells(wantsOnly("with-dispatch")).map(cellName), [
    "page-cache/128/1024/store-mapped",
    "page-cache/128/1024/store-undispatched",
    "page-cache/1024/1024/store-mapped",
    "page-cache/1024/1024/store-undispatched",
  ]);
});

test("a round has a task for each cell of ours, and one JVM for each configuration that is wanted", (t) => {
  const options = parseBenchOptions([]);
  const tasks = (part: string, java: typeof PEER | undefined): number | undefined =>
    WORKLOADS.round?.({ options, directory: "/directory", wants: wantsOnly(part), java }).length;
  t.is(tasks("disk/", PEER), 2 * 3 * 6 + 3);
  t.is(tasks("disk/", undefined), 2 * 3 * 6);
  t.is(tasks("java-pool", PEER), 2, "one a durability");
  t.is(tasks("consume-get", PEER), 0);
});

test("the table has a row a workload, and the best of each against the other", (t) => {
  const lines = linesOf(resultsOf(["store-mapped", 3000], ["store-channel", 6000], ["java-default", 4000], ["java-warm", 1000]));
  t.regex(lines.join("\n"), /\| SYNC_FLUSH, 128 B, 64 .*\| 3\.0 k \(10 us \/ 20 us\) .*\| - +\| 1\.50 x +\|/);
  t.true(lines.includes("- java-warm: no put failed; dispatch at most 0 MiB behind at the end of a workload"));
});

test("there is no table without RocketMQ's store, and no comparison without ours", (t) => {
  t.deepEqual(linesOf(resultsOf(["store-mapped", 3000])), []);
  t.regex(linesOf(resultsOf(["java-default", 3000])).join("\n"), /\| - +\|$/m);
});

test("puts that failed are shown, round by round", (t) => {
  const mib = 1024 * 1024;
  const lines = linesOf(
    resultsOf(
      ["java-pool", 1, { failures: { FLUSH_DISK_TIMEOUT: 3 }, behindBytes: 6 * mib }],
      ["java-pool", 1, { failures: {}, behindBytes: 2 * mib }],
    ),
  );
  t.true(
    lines.includes(
      "- java-pool: FAILED puts, not counted above: disk/128/64/java-pool: 3 FLUSH_DISK_TIMEOUT; " +
        "dispatch at most 4 MiB behind at the end of a workload",
    ),
  );
});

test("the version is that of the store's jar", (t) => {
  t.is(storeVersion("/x/classes:/m/rocketmq-common-5.5.0.jar:/m/rocketmq-store-5.5.1.jar:/m/y.jar", "5"), "5.5.1");
  t.is(storeVersion("/x/classes", "4.9"), "4.9");
});

test("a command is a line of words, and its answer a line of JSON", async (t) => {
  const program = start(
    `require("node:readline").createInterface({ input: process.stdin })
       .on("line", (line) => console.log(JSON.stringify({ line, args: process.argv.slice(1) })));`,
  );
  const expected = ["warm", "SYNC_FLUSH", "/directory", `${256 * 1024 * 1024}`];
  t.deepEqual(await program.ask("put", 128, 64), { line: "put 128 64", args: expected });
  t.deepEqual(await program.ask("read"), { line: "read", args: expected });
  await program.end();
});

test("a program that ends early says why", async (t) => {
  const error = await t.throwsAsync(start(`console.error("the lock is taken"); process.exit(1)`).ask("put"));
  t.regex(error?.message ?? "", /command=put\nthe lock is taken/);
});

test("only versions that are known are taken", (t) => {
  t.is(parseBenchOptions(["--rocketmq", "4.9"]).rocketmq, "4.9");
  t.is(parseBenchOptions([]).rocketmq, "5");
  t.throws(() => parseBenchOptions(["--rocketmq", "4"]), { instanceOf: UsageError });
});
