import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { type LoadReport, readLoadReport } from "#scripts/load-generator/load-report.js";
import { bundledStore } from "../../support/bundled-store.js";
import { projectRoot } from "../../support/project-root.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const MAIN = join(projectRoot(), "scripts", "dist", "load-generator", "main.js");

function load(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...bundledStore(), MAIN, "-d", "1s", "-w", "64", ...args], {
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

test.serial("a load writes its report as one file without a script, and lays an earlier one over it", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "first.html");
  const first = load("--report", path, "--consume");
  t.is(first.status, 0, first.output);
  const report = readLoadReport(join(directory, "first.json"));
  t.true(report.samples.length >= 2 && report.samples.some(({ rate, p99Us, maxUs }) => rate > 0 && p99Us > 0 && maxUs >= p99Us));
  const times = report.percentiles.map(([, us]) => us);
  t.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  t.is(report.summary.verified, report.summary.acked);
  const page = readFileSync(path, "utf8");
  t.is(page.match(/<svg /g)?.length, 7);
  t.notRegex(page, /<script|https?:|NaN|undefined/);
  const second = load("--report", join(directory, "second.html"), "--compare", join(directory, "first.json"));
  t.is(second.status, 0, second.output);
  const compared = readFileSync(join(directory, "second.html"), "utf8");
  t.true(compared.includes("acknowledged, earlier") && compared.includes('class="a earlier"'));
  t.is(compared.match(/<tr><th scope="row">when<\/th>(<td>[^<]*<\/td>){2}<\/tr>/g)?.length, 1);
});

test.serial("what cannot be compared is refused before anything is done", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "out.html");
  writeFileSync(join(directory, "bad.json"), JSON.stringify({ version: 2 } satisfies Partial<Record<keyof LoadReport, unknown>>));
  for (const args of [
    ["--compare", "x.json"],
    ["--report", path, "--compare", join(directory, "missing.json")],
    ["--report", path, "--compare", join(directory, "bad.json")],
    ["--report", path, "--producers", "2"],
  ]) {
    const { status, output } = load(...args);
    t.is(status, 2, args.join(" "));
    t.regex(output, /--(?:compare|report)/);
  }
  t.false(existsSync(path));
});

test.serial("a report that cannot be written in the end takes nothing with it: the figures are printed", (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, "out.json"));
  const { status, output } = load("--report", join(directory, "out.html"), "--mappedFileSizeCommitLog", "8MiB");
  t.is(status, 1);
  t.regex(output, /^verified {2}[\d,]+ {3}lost 0/m);
  t.regex(output, /EISDIR/);
});
