/**
 * Lint, house rules, dead exports, then AVA on the compiled tests; arguments go to AVA. scripts/setup.mjs has installed and built.
 * The last line is `N passed, M failed[, K skipped]`, in AVA's own numbers. Exit code 0 only when all of them passed and a test ran.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Longer than any test is silent. AVA's own limit passes once and unheard while a test with a limit of its own could still run. */
const SILENT_MS = 10 * 60 * 1000;

/** Starts a check; what it has said is shown at its end, in one piece. */
async function check(name, ...args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  console.log(`${said}${name}: ${code === 0 ? "ok" : "FAILED"}`);
  return code === 0;
}

/** What keeps RocketMQ from this machine is handed to the tests that need it: they are skipped, visibly. */
async function prepareRocketMq() {
  const { MISSING_VARIABLE, prepareRocketMq: prepare } = await import("../test/dist/conformance/rocketmq-preparation.js");
  const missing = prepare();
  if (missing !== undefined) process.env[MISSING_VARIABLE] = missing;
}

/**
 * Shows AVA's TAP as it comes; its closing lines `# pass 12` are the counts. A test file whose process does not end, because of what a
 * failed test has left open, fails the run after a silence: it is killed, with all that it started.
 */
async function runAva(args) {
  const counts = { pass: 0, fail: 0, skip: 0 };
  const command = [join(root, "node_modules/ava/entrypoints/cli.mjs"), "--tap", ...args];
  const ava = spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "pipe", "inherit"], detached: true });
  const exit = new Promise((resolve) => ava.on("close", (code) => resolve(code ?? 1)));
  const silence = setTimeout(() => {
    console.log(`# a test file does not end: nothing was heard for ${SILENT_MS / 60_000} minutes`);
    counts.fail++;
    process.kill(-ava.pid, "SIGKILL");
  }, SILENT_MS);
  const signals = ["SIGINT", "SIGTERM"];
  const handOn = (signal) => {
    process.kill(-ava.pid, signal);
    process.exit(1);
  };
  for (const signal of signals) process.on(signal, handOn);
  for await (const line of createInterface({ input: ava.stdout })) {
    console.log(line);
    silence.refresh();
    const found = /^# (pass|fail|skip) (\d+)$/.exec(line);
    if (found) counts[found[1]] = Number(found[2]);
  }
  clearTimeout(silence);
  for (const signal of signals) process.off(signal, handOn);
  return { ...counts, code: await exit };
}

/** RocketMQ's tests keep every core busy: they come behind those that mind the time. */
async function runAll() {
  const conformance = "test/dist/conformance/*.test.js";
  const runs = [
    await runAva(["test/dist/**/*.test.js", `!${conformance}`]),
    await runAva([`--concurrency=${availableParallelism()}`, conformance]),
  ];
  const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
  return { pass: sum("pass"), fail: sum("fail"), skip: sum("skip"), code: Math.max(...runs.map(({ code }) => code)) };
}

const checks = [
  check("lint", join(root, "node_modules/@biomejs/biome/bin/biome"), "check", "--diagnostic-level=error", root),
  check("tidy", join(root, "scripts/dist/tidy/main.js")),
  check("knip", join(root, "node_modules/knip/bin/knip.js")),
];
await prepareRocketMq(); // Maven, while they run
const areChecked = (await Promise.all(checks)).every((isWell) => isWell);
const chosen = process.argv.slice(2);
const { pass, fail, skip, code } = await (chosen.length === 0 ? runAll() : runAva(chosen));
console.log(`${pass} passed, ${fail} failed${skip > 0 ? `, ${skip} skipped` : ""}`);
process.exitCode = areChecked && code === 0 && fail === 0 && pass > 0 ? 0 : 1;
