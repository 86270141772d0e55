import { fork } from "node:child_process";
import { join } from "node:path";
import { bundledStore } from "../support/bundled-store.js";
import type { CrashJob, CrashMark } from "./crash-job.js";

export interface CrashMoment {
  readonly mark: CrashMark;
  readonly delayMs: number;
}

/** How a life of the driver ended: killed, or closed before the kill came. Anything else is an error. */
export async function liveUntil(moment: CrashMoment, job: CrashJob): Promise<"killed" | "closed"> {
  const child = fork(join(import.meta.dirname, "crash-driver.js"), [JSON.stringify(job)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [...process.execArgv, ...bundledStore()],
  });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  let timer: NodeJS.Timeout | undefined;
  child.on("message", (mark: CrashMark) => {
    if (mark === moment.mark) timer = setTimeout(() => child.kill("SIGKILL"), moment.delayMs);
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on("close", (...end) => resolve(end));
  });
  clearTimeout(timer);
  if (signal === "SIGKILL") return "killed";
  if (code === 0) return "closed";
  throw new Error(`the driver failed: code=${code} signal=${signal} job=${JSON.stringify(job)}\n${errors}`);
}
