import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { temporaryDirectory } from "./temporary-directory.js";

/** Everything else says how far these are, and is copied before them. */
const LAST = ["index", "consumequeue", "commitlog"];
/** Names of what is just being prepared: it has another one a moment later, and none where the old one was looked for. */
const PREPARED = /\.(new|tmp)$/;

/**
 * A copy of a living store's directory, as a process that is killed now leaves it. The store's threads go on meanwhile, but no mark in the
 * copy says more than is there, and what is just being prepared is not in it.
 */
export function leftByCrash(t: ExecutionContext, storePathRootDir: string): string {
  const left = temporaryDirectory(t);
  const names = readdirSync(storePathRootDir).sort((a, b) => LAST.indexOf(a) - LAST.indexOf(b));
  for (const name of names.filter((each) => !PREPARED.test(each))) copyAlive(join(storePathRootDir, name), join(left, name));
  return left;
}

/**
 * With the times of all files, to the nanosecond, as Node's own copying does not. Again when a small file in it was just being replaced: it
 * has got its name between the listing and its copy.
 */
export function copyAlive(from: string, to: string): void {
  for (;;) {
    const source = statSync(from).isDirectory() ? `${from}/.` : from; // into what is there already
    const { status, stderr } = spawnSync("cp", ["-a", source, to], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
    if (status === 0) return;
    if (!stderr.includes("No such file")) throw new Error(stderr);
  }
}
