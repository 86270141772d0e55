import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DRIVERS } from "../contestants/workload.js";
import type { Job, JobKind } from "./job.js";
import { touchMemory } from "./touched-memory.js";

const PROCESS = fileURLToPath(new URL("./measurement-process.js", import.meta.url));
const TIMEOUT_MS = 180_000;
/** For what writes gibibytes, or measures several workloads. */
const LONG_TIMEOUT_MS = 1_800_000;
const LONG: readonly JobKind[] = ["keep-up", "java-store", "opening"];

/** How long a job writes, about; 0: no memory is touched for it. Workloads of RocketMQ's store do that themselves, each before itself. */
function writingSeconds(job: Job): number {
  switch (job.kind) {
    case "workload": {
      const { contestant, durability, seconds, warmUpSeconds } = job.workload;
      return durability === "page-cache" && !DRIVERS.includes(contestant) ? seconds + warmUpSeconds : 0;
    }
    case "java-store":
    case "opening":
      return 0;
    default:
      return 1;
  }
}

/** Runs a job in a process and an empty directory of its own below `base`; both are gone afterwards. */
export async function runInChild<T>(base: string, makeJob: (directory: string) => Job): Promise<T> {
  const directory = mkdtempSync(join(base, "run-"));
  try {
    const job = makeJob(directory);
    const seconds = writingSeconds(job);
    if (seconds > 0) touchMemory(directory, seconds);
    return await forkMeasurement(job);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function forkMeasurement<T>(job: Job): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(PROCESS, [JSON.stringify(job)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), LONG.includes(job.kind) ? LONG_TIMEOUT_MS : TIMEOUT_MS);
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
