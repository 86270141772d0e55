/**
 * `npm run bench`: installs what the store is compared with, on first use, then runs scripts/bench/main.ts. The peers have a lockfile of
 * their own and stay out of the workspace: nobody who does not measure installs them.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const peers = join(here, "peers");
const stampFile = join(peers, "node_modules", ".millrace-stamp");

function fail(message, child) {
  const output = `${child?.stdout ?? ""}${child?.stderr ?? ""}${child?.error?.message ?? ""}`.trimEnd();
  if (output !== "") console.error(output);
  console.error(`bench: ${message}`);
  process.exit(1);
}

const runQuietly = (command, args) => spawnSync(command, args, { cwd: peers, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });

function wantedStamp() {
  const hash = createHash("sha256").update(`${process.version} ${process.platform} ${process.arch}`);
  for (const file of ["package.json", "pnpm-lock.yaml"]) hash.update(readFileSync(join(peers, file)));
  return hash.digest("hex");
}

/**
 * Where scripts/setup.mjs finds this Node's headers: beside Node, where npm is told, or in its cache; otherwise node-gyp downloads
 * them.
 */
function headers() {
  const places = [
    dirname(dirname(realpathSync(process.execPath))),
    process.env.npm_config_nodedir,
    join(root, "node_modules", ".cache", "millrace", `headers-${process.version}`),
  ];
  const found = places.find((place) => place && existsSync(join(place, "include", "node", "node_api.h")));
  return found === undefined ? [] : [`--nodedir=${found}`];
}

function installPeers() {
  const stamp = wantedStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  console.error("bench: installing lmdb, classic-level and better-sqlite3, which is compiled; a few minutes the first time");
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const installed = runQuietly("npx", ["--yes", packageManager, "install", "--frozen-lockfile", "--ignore-scripts"]);
  if (installed.status !== 0) fail("the peers could not be installed", installed);
  const gyp = createRequire(join(peers, "package.json")).resolve("node-gyp/bin/node-gyp.js");
  const directory = realpathSync(join(peers, "node_modules", "better-sqlite3"));
  const built = runQuietly(process.execPath, [gyp, "rebuild", "--release", `--directory=${directory}`, ...headers()]);
  if (built.status !== 0) fail("better-sqlite3 could not be compiled; needed: python3, make and a C++ compiler", built);
  writeFileSync(stampFile, stamp);
}

/** Not when only the help is wanted, nor when main.ts will refuse the options. */
async function isMeasuring() {
  const { parseBenchRequest } = await import("../dist/bench/bench-request.js");
  try {
    return !parseBenchRequest(args).help;
  } catch {
    return false;
  }
}

const args = process.argv.slice(2);
if (await isMeasuring()) installPeers();
const child = spawnSync(process.execPath, [join(root, "scripts", "dist", "bench", "main.js"), ...args], {
  stdio: "inherit",
});
process.exit(child.status ?? 1);
