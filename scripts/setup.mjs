/**
 * Set-up for `npm start`, `npm test` and `npm run bench`: dependencies, the native binding, the build. Needs Node, npm, python3 and a C++
 * compiler; says nothing when all is up to date.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
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

const hasHeaders = (directory) => existsSync(join(directory, "include", "node", "node_api.h"));

/** The folder whose include/node holds this Node's headers; undefined leaves it to node-gyp to download them. */
function findHeaders() {
  const installed = dirname(dirname(realpathSync(process.execPath)));
  if (hasHeaders(installed)) return installed;
  const configured = process.env.npm_config_nodedir;
  if (configured && hasHeaders(configured)) return configured;
  const cached = join(cache, `headers-${process.version}`);
  if (!hasHeaders(cached)) fetchHeaders(cached);
  return hasHeaders(cached) ? cached : undefined;
}

/** The npm package of a Node binary carries its headers. */
function fetchHeaders(target) {
  const name = `node-${process.platform}-${process.arch}`;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, "fetch-"));
  const prefix = ["install", "--prefix", scratch, "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { ok } = run("npm", [...prefix, `${name}@${process.versions.node}`], process.env, scratch);
  if (ok) {
    mkdirSync(target, { recursive: true });
    rmSync(join(target, "include"), { recursive: true, force: true });
    renameSync(join(scratch, "node_modules", name, "include"), join(target, "include"));
  }
  rmSync(scratch, { recursive: true, force: true });
}

/** Maps and unmaps a page in a process of its own; the output says why it could not. */
function checkBinding() {
  const script = `
    const mmap = require("node:module").createRequire(${JSON.stringify(join(root, "packages/mapped-file/package.json"))})("mmap-io");
    const fd = require("node:fs").openSync(process.execPath, "r");
    const page = mmap.map(mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_SHARED, fd);
    if (page.length !== mmap.PAGESIZE || !mmap.unmap(page) || page.length !== 0) throw new Error("mmap-io maps, but not as patched");`;
  return run(process.execPath, ["-e", script]);
}

function install() {
  const nodedir = findHeaders();
  const env = { ...process.env, CI: "true", ...(nodedir === undefined ? {} : { npm_config_nodedir: nodedir }) };
  delete env.NODE_ENV; // "production" would leave out what builds and tests need
  const pnpm = (...args) => run("npx", ["--yes", "--loglevel=error", PNPM, ...args], env);
  const started = Date.now();
  console.error("setup: installing dependencies and building mmap-io; about a minute the first time");
  const installed = pnpm("install", "--frozen-lockfile", "--config.confirmModulesPurge=false");
  if (!installed.ok) {
    fail("pnpm install failed (above). Needed: the npm registry, python3, make and a C++ compiler.", installed.output);
  }
  if (!checkBinding().ok) {
    const rebuilt = pnpm("rebuild", "mmap-io");
    const binding = checkBinding();
    if (!binding.ok) {
      fail(
        "mmap-io's native binding is not built, or does not load on this Node (above). Needed: python3, make and a C++ compiler, and " +
          "ignore-scripts must not be set. Then delete node_modules and try again.",
        `${rebuilt.output}\n${binding.output}`,
      );
    }
  }
  console.error(`setup: dependencies ready after ${((Date.now() - started) / 1000).toFixed(0)} s`);
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
  const { bundleWorkers } = await import("./bundle-workers.mjs"); // its bundler has just been installed
  await bundleWorkers(root);
}

if (process.argv.length > 2) fail(`no options are taken here: ${process.argv.slice(2).join(" ")}`);
checkNode();
const stamp = wantedStamp();
const installedBefore = existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp;
if (!installedBefore || !checkBinding().ok) {
  install();
  mkdirSync(cache, { recursive: true });
  writeFileSync(stampFile, stamp);
}
await build();
