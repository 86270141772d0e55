import { readFileSync } from "node:fs";

const LINUX_LIMITS = "/proc/self/limits";
const SOFT_LIMIT = /^Max open files\s+(\d+)/m;
/** Where the system does not say it. */
const USUAL_LIMIT = 1024;

/** How many files this process may have open (RLIMIT_NOFILE); its user's own files, sockets and pipes are among them. */
export function openFileLimit(): number {
  try {
    return Number(SOFT_LIMIT.exec(readFileSync(LINUX_LIMITS, "utf8"))?.[1] ?? USUAL_LIMIT);
  } catch {
    return USUAL_LIMIT;
  }
}
