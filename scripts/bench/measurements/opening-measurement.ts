import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { OpeningJob, OpeningResult } from "./job.js";
import type { OpenedStep, OpeningStep } from "./opening-process.js";

const PROCESS = fileURLToPath(new URL("./opening-process.js", import.meta.url));
/** Put between an opening and the next kill, so that there is something to recover. */
const KILLED_AFTER_BYTES = 64 * 1024 * 1024;

/** undefined: it was killed, as it should be. */
async function take(step: OpeningStep): Promise<OpenedStep | undefined> {
  const child = fork(PROCESS, [JSON.stringify(step)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  let answer: OpenedStep | undefined;
  child.on("message", (value) => {
    answer = value as OpenedStep;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (answer === undefined && (step.end !== "kill" || signal !== "SIGKILL")) {
    throw new Error(`the step ended early: code=${code} signal=${signal} step=${JSON.stringify(step)}`);
  }
  return answer;
}

async function opened(step: OpeningStep): Promise<OpenedStep> {
  return (await take(step)) as OpenedStep;
}

/** The log is in the page cache, as far as that holds it. */
export async function measureOpening({ directory, bytes, rounds }: OpeningJob): Promise<OpeningResult> {
  const newSeconds: number[] = [];
  let newBlocksBytes = 0;
  for (let round = 0; round < rounds; round++) {
    const step = await opened({ directory: join(directory, `new-${round}`), end: "one-message", bytes: 0 });
    newSeconds.push(step.openSeconds);
    newBlocksBytes = Math.max(newBlocksBytes, step.blocksBytes);
  }
  const log = join(directory, "log");
  let { logBytes } = await opened({ directory: log, end: "fill", bytes });
  const closedSeconds: number[] = [];
  const killedSeconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    closedSeconds.push((await opened({ directory: log, end: "open", bytes: 0 })).openSeconds);
    await take({ directory: log, end: "kill", bytes: KILLED_AFTER_BYTES });
    const killed = await opened({ directory: log, end: "open", bytes: 0 });
    killedSeconds.push(killed.openSeconds);
    logBytes = killed.logBytes;
  }
  return { logBytes, newSeconds, closedSeconds, killedSeconds, newBlocksBytes };
}
