import { fork } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Job } from "./job.js";

const CONTESTANT = fileURLToPath(new URL("./contestant.js", import.meta.url));
const TIMEOUT_MS = 120_000;
/** For what writes gibibytes. */
const LONG_TIMEOUT_MS = 600_000;

/** More than any measurement writes. */
const TOUCHED_BYTES = 768 * 1024 * 1024;
const BLOCK = new Uint8Array(1024 * 1024);

/**
 * A virtual machine gets its memory from the host page by page, at the first touch: 0.2 s a GiB of page cache when the host has given it before,
 * up to 2.5 s when not. So that every contestant finds the same, a file is written and deleted before each measurement.
 */
function touchMemory(directory: string): void {
  const path = join(directory, "touched");
  const file = openSync(path, "w");
  for (let position = 0; position < TOUCHED_BYTES; position += BLOCK.length) writeSync(file, BLOCK, 0, BLOCK.length, position);
  closeSync(file);
  rmSync(path);
}

/** Runs a job in a process and an empty directory of its own below `base`; both are gone afterwards. */
export async function runInChild<T>(base: string, makeJob: (directory: string) => Job): Promise<T> {
  const directory = mkdtempSync(join(base, "run-"));
  try {
    const job = makeJob(directory);
    if (job.kind !== "workload" || job.workload.durability === "page-cache") touchMemory(directory);
    return await forkContestant(job);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function forkContestant<T>(job: Job): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(CONTESTANT, [JSON.stringify(job)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), job.kind === "keep-up" ? LONG_TIMEOUT_MS : TIMEOUT_MS);
    let answer: { value: T } | undefined;
    child.on("message", (value) => {
      answer = { value: value as T };
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (answer !== undefined && code === 0) resolve(answer.value);
      else reject(new Error(`the measurement ended early: code=${code} signal=${signal} job=${JSON.stringify(job)}`));
    });
  });
}
