/**
 * Lint, house rules, dead exports, then AVA on the compiled tests; arguments go to AVA. scripts/setup.mjs has installed and built.
 * The last line is `N passed, M failed[, K skipped]`, in AVA's own numbers. Exit code 0 only when all of them passed and a test ran.
 */
import { spawn, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function check(name, ...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  console.log(`${name}: ${status === 0 ? "ok" : "FAILED"}`);
  return status === 0;
}

/** What keeps RocketMQ from this machine is handed to the tests that need it: they are skipped, visibly. */
async function prepareRocketMq() {
  const { MISSING_VARIABLE, prepareRocketMq: prepare } = await import("../test/dist/conformance/rocketmq-preparation.js");
  const missing = prepare();
  if (missing !== undefined) process.env[MISSING_VARIABLE] = missing;
}

/** Shows AVA's TAP as it comes; its closing lines `# pass 12` are the counts. */
async function runAva(args) {
  const counts = { pass: 0, fail: 0, skip: 0 };
  const command = [join(root, "node_modules/ava/entrypoints/cli.mjs"), "--tap", ...args];
  const ava = spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const exit = new Promise((resolve) => ava.on("close", (code) => resolve(code ?? 1)));
  for await (const line of createInterface({ input: ava.stdout })) {
    console.log(line);
    const found = /^# (pass|fail|skip) (\d+)$/.exec(line);
    if (found) counts[found[1]] = Number(found[2]);
  }
  return { ...counts, code: await exit };
}

/** RocketMQ's tests keep every core busy: they come behind those that mind the time. */
async function runAll() {
  const conformance = "test/dist/conformance/*.test.js";
  const runs = [await runAva(["test/dist/**/*.test.js", `!${conformance}`]), await runAva([conformance])];
  const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
  return { pass: sum("pass"), fail: sum("fail"), skip: sum("skip"), code: Math.max(...runs.map(({ code }) => code)) };
}

const lint = check("lint", join(root, "node_modules/@biomejs/biome/bin/biome"), "check", "--diagnostic-level=error", root);
const tidy = check("tidy", join(root, "scripts/dist/tidy/main.js"));
const knip = check("knip", join(root, "node_modules/knip/bin/knip.js"));
await prepareRocketMq();
const chosen = process.argv.slice(2);
const { pass, fail, skip, code } = await (chosen.length === 0 ? runAll() : runAva(chosen));
console.log(`${pass} passed, ${fail} failed${skip > 0 ? `, ${skip} skipped` : ""}`);
process.exitCode = lint && tidy && knip && code === 0 && fail === 0 && pass > 0 ? 0 : 1;
