import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Job } from "./job.js";
import { touchMemory } from "./touched-memory.js";

const PROCESS = fileURLToPath(new URL("./measurement-process.js", import.meta.url));
const TIMEOUT_MS = 120_000;
/** For what writes gibibytes, or measures several workloads. */
const LONG_TIMEOUT_MS = 600_000;

/** The process around RocketMQ's store does that itself, before each of its workloads. */
function findsTouchedMemory(job: Job): boolean {
  return job.kind === "workload" ? job.workload.durability === "page-cache" : job.kind !== "java-store";
}

/** Runs a job in a process and an empty directory of its own below `base`; both are gone afterwards. */
export async function runInChild<T>(base: string, makeJob: (directory: string) => Job): Promise<T> {
  const directory = mkdtempSync(join(base, "run-"));
  try {
    const job = makeJob(directory);
    if (findsTouchedMemory(job)) touchMemory(directory);
    return await forkMeasurement(job);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function forkMeasurement<T>(job: Job): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(PROCESS, [JSON.stringify(job)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const isLong = job.kind === "keep-up" || job.kind === "java-store";
    const timer = setTimeout(() => child.kill("SIGKILL"), isLong ? LONG_TIMEOUT_MS : TIMEOUT_MS);
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
