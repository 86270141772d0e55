import { execFileSync } from "node:child_process";
import { mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";

/** A store at rest, with the times of its files to the nanosecond: what it has noted of them is believed in the copy, too. */
export function copyStore(root: string, copy: string): void {
  mkdirSync(copy, { recursive: true });
  execFileSync("cp", ["-a", `${root}/.`, copy]);
}

/** Changes a file as a disk does that goes bad: its time stays. */
export function changeSilently(path: string, like: string, change: (path: string) => void): void {
  change(path);
  execFileSync("touch", ["-r", like, path]);
}

/** As a broker leaves it that has started there: nothing that was noted is believed any more. */
export function touchLock(root: string): void {
  const now = new Date();
  utimesSync(join(root, "lock"), now, now);
}
