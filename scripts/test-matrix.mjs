/**
 * Install, build and tests on other Node versions: for each major the newest Node, from its npm package, in a fresh copy of the project.
 * `node scripts/test-matrix.mjs [major...] [AVA pattern...]`; all of {@link MAJORS} and all tests without arguments.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const MAJORS = ["20", "24", "26"];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const patterns = args.filter((arg) => !/^\d+$/.test(arg));
const given = args.filter((arg) => /^\d+$/.test(arg));

function run(command, commandArgs, cwd, env = process.env) {
  const started = Date.now();
  const child = spawnSync(command, commandArgs, {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const output = `${child.stdout ?? ""}${child.stderr ?? ""}${child.error?.message ?? ""}`;
  return { ok: child.status === 0, stdout: child.stdout ?? "", output, seconds: Math.round((Date.now() - started) / 1000) };
}

/** What a clone of the working tree's present state would hold. */
function copyProject(target) {
  const files = run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], root).stdout.split("\0");
  for (const file of files) {
    if (file === "" || !existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(root, file), join(target, file));
  }
}

function testOn(major, scratch) {
  const name = `node-${process.platform}-${process.arch}`;
  const row = { node: major, install: "-", tests: "-", result: "" };
  const fetched = run("npm", ["install", "--prefix", scratch, "--no-save", "--no-audit", "--no-fund", `${name}@${major}`], scratch);
  if (!fetched.ok) return { ...row, result: "no such Node", output: fetched.output };
  const bin = join(scratch, "node_modules", name, "bin");
  row.node = run(join(bin, "node"), ["--version"], scratch).stdout.trim();
  const project = join(scratch, "project");
  copyProject(project);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`, npm_config_side_effects_cache: "false" };
  const setup = run(join(bin, "node"), ["scripts/setup.mjs"], project, env);
  row.install = `${setup.ok ? "ok" : "FAILED"} ${setup.seconds} s`;
  if (!setup.ok) return { ...row, result: "set-up failed", output: setup.output };
  const tests = run(join(bin, "node"), ["scripts/run-tests.mjs", ...patterns], project, env);
  row.tests = `${tests.ok ? "ok" : "FAILED"} ${tests.seconds} s`;
  const summary = tests.stdout.trimEnd().split("\n").at(-1) ?? "";
  return { ...row, result: summary, output: tests.ok ? undefined : tests.output };
}

const rows = [];
for (const major of given.length > 0 ? given : MAJORS) {
  const scratch = mkdtempSync(join(tmpdir(), `millrace-node-${major}-`));
  const { output, ...row } = testOn(major, scratch);
  rmSync(scratch, { recursive: true, force: true });
  rows.push(row);
  if (output !== undefined) {
    console.error(output);
    process.exitCode = 1;
  }
  console.error(`Node ${row.node}: ${row.result}`);
}
console.table(rows);
