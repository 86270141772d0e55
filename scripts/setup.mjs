/**
 * Set-up for `npm start`, `npm test` and `npm run bench`: dependencies, the native binding, the build. Needs Node, npm and a C++ compiler;
 * says nothing when all is up to date.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBinding } from "./build-binding.mjs";
import { buildKernels } from "./build-kernels.mjs";

const PNPM = "pnpm@10.34.8";
const LEAST_NODE = [20, 19];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, "node_modules", ".cache", "millrace");
const stampFile = join(cache, "setup-stamp");

function fail(message, output = "") {
  if (output.trim() !== "") console.error(output.trimEnd());
  console.error(`setup: ${message}`);
  process.exit(1);
}

/** Runs a command that asks nothing; what it printed is shown only by whoever finds it failed. */
function run(command, args, env = process.env, cwd = root) {
  const child = spawnSync(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", maxBuffer: 1 << 26 });
  return { ok: child.status === 0, output: `${child.stdout ?? ""}${child.stderr ?? ""}${child.error?.message ?? ""}` };
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
    fail(`Node ${LEAST_NODE.join(".")} or newer is needed, node=${process.version}`);
  }
}

/** Everything that decides what is installed, as one hash. */
function wantedStamp() {
  const hash = createHash("sha256").update(`${process.version} ${process.versions.modules} ${process.platform} ${process.arch}\n`);
  const packages = readdirSync(join(root, "packages")).map((name) => join("packages", name, "package.json"));
  const patches = readdirSync(join(root, "patches")).map((name) => join("patches", name));
  for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ...packages.sort(), ...patches.sort()]) {
    if (existsSync(join(root, file))) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/** Maps and unmaps a page in a process of its own; the output says why it could not. */
function checkBinding() {
  const script = `
    const mmap = require(${JSON.stringify(join(root, "packages/mmap-io"))});
    const fd = require("node:fs").openSync(process.execPath, "r");
    const page = mmap.map(mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_SHARED, fd);
    if (page.length !== mmap.PAGESIZE || !mmap.unmap(page) || page.length !== 0) throw new Error("mmap-io maps, but not as patched");`;
  return run(process.execPath, ["-e", script]);
}

function install() {
  const env = { ...process.env, CI: "true" };
  delete env.NODE_ENV; // "production" would leave out what builds and tests need
  const started = Date.now();
  console.error("setup: installing dependencies; about a minute the first time");
  const args = ["--yes", "--loglevel=error", PNPM, "install", "--frozen-lockfile", "--config.confirmModulesPurge=false"];
  const installed = run("npx", args, env);
  if (!installed.ok) fail("pnpm install failed (above). Needed: the npm registry.", installed.output);
  console.error(`setup: dependencies ready after ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

/** The native binding of this machine. */
function prepareBinding() {
  const { missing, failure } = buildBinding(root, false);
  if (missing.length > 0) fail("a C++ compiler is needed: c++, g++, clang++, or what CXX names.");
  if (failure !== undefined) fail("the native binding does not compile (above).", failure);
  const binding = checkBinding();
  if (!binding.ok) fail("the native binding does not load on this Node (above).", binding.output);
}

/** Deletes what was compiled from sources that are gone: AVA would go on running such tests. */
function pruneOutputs(sources, outputs) {
  if (!existsSync(outputs)) return;
  for (const entry of readdirSync(outputs, { recursive: true })) {
    const stem = entry.replace(/\.(?:js|d\.ts)(?:\.map)?$/, "");
    const isMade =
      entry.startsWith("bundled") || existsSync(join(sources, `${stem}.ts`)) || existsSync(join(sources, `${stem}.d.ts`));
    if (stem !== entry && !isMade) rmSync(join(outputs, entry));
  }
}

async function build() {
  for (const name of readdirSync(join(root, "packages"))) {
    pruneOutputs(join(root, "packages", name, "src"), join(root, "packages", name, "dist"));
  }
  for (const name of ["scripts", "test"]) pruneOutputs(join(root, name), join(root, name, "dist"));
  const { ok, output } = run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"]);
  if (!ok) fail("the build failed (above).", output);
  const failure = buildKernels(root);
  if (failure !== undefined) fail("the kernels do not compile (above).", failure);
  const { bundleStore } = await import("./bundle-store.mjs"); // its bundler has just been installed
  await bundleStore(root);
}

if (process.argv.length > 2) fail(`no options are taken here: ${process.argv.slice(2).join(" ")}`);
checkNode();
const stamp = wantedStamp();
const installedBefore = existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
if (!installedBefore) {
  install();
  mkdirSync(cache, { recursive: true });
  writeFileSync(stampFile, stamp);
}
prepareBinding();
await build();
