/** One step of `measureOpening`, in a process that has just started. Argument: an {@link OpeningStep}; answer: by IPC, unless killed. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { monotonicUs } from "@millrace/shared-memory";
import { MessageStore } from "@millrace/store";
import { LoadDriver } from "../../load-generator/load-driver.js";
import { MessageContent } from "../../load-generator/message-content.js";
import { UNPACED } from "../../load-generator/pace.js";

export interface OpeningStep {
  readonly directory: string;
  /** `fill` closes at the end; `kill` ends the process without warning, puts in flight. */
  readonly end: "open" | "one-message" | "fill" | "kill";
  /** Bytes of log put before the end. */
  readonly bytes: number;
}

export interface OpenedStep {
  /** Of `MessageStore.open`. */
  readonly openSeconds: number;
  /** Of the log, after the end. */
  readonly logBytes: number;
  /** On the disk, all files. */
  readonly blocksBytes: number;
}

const MESSAGE_SIZE = 1024;
const RECORD_OVERHEAD = 128;
const WINDOW = 1024;
/** Unit of st_blocks. */
const BLOCK = 512;
const STILL_POLL_MS = 200;
const STILL_POLLS = 5;
const POLLS_MAX = 50;

const { directory, end, bytes } = JSON.parse(process.argv[2] ?? "") as OpeningStep;
const startUs = monotonicUs();
const store = await MessageStore.open({ storePathRootDir: directory });
const openSeconds = (monotonicUs() - startUs) / 1e6;

function blocksBytes(): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true });
  return files.reduce((sum, file) => {
    const stats = lstatSync(join(file.parentPath, file.name), { throwIfNoEntry: false });
    return sum + (stats?.isFile() === true ? stats.blocks * BLOCK : 0);
  }, 0);
}

/** When the allocator has stopped making ready. */
async function blocksAtRest(): Promise<number> {
  let last = blocksBytes();
  for (let poll = 0, still = 0; poll < POLLS_MAX && still < STILL_POLLS; poll++) {
    await sleep(STILL_POLL_MS);
    const now = blocksBytes();
    still = now === last ? still + 1 : 0;
    last = now;
  }
  return last;
}

/** A key in each message, so that the index has all of them. Killed, it ends with puts in flight. */
async function put(): Promise<void> {
  const lanes = { topic: "BenchmarkTest", topics: 1, queues: 4, tags: 0, batchSize: 1 };
  const content = new MessageContent({ ...lanes, keyEnable: true, messageSize: MESSAGE_SIZE });
  const units = Math.ceil(bytes / (MESSAGE_SIZE + RECORD_OVERHEAD));
  const acks = { set: (unit: number) => end === "kill" && unit >= units && process.kill(process.pid, "SIGKILL") };
  const plan = { pace: UNPACED, slots: WINDOW, units: end === "kill" ? Number.POSITIVE_INFINITY : units };
  const driver = new LoadDriver(store, content, acks, { ...plan, deadlineUs: Number.POSITIVE_INFINITY });
  await driver.run();
  if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
}

let restBytes = 0;
if (end === "one-message") {
  await store.putMessage({ topic: "BenchmarkTest", queueId: 0, body: Buffer.alloc(MESSAGE_SIZE) });
  restBytes = await blocksAtRest();
} else if (end !== "open") await put();
const logBytes = store.stats().offsets.wroteOffset;
await store.close();
const answer: OpenedStep = { openSeconds, logBytes, blocksBytes: Math.max(restBytes, blocksBytes()) };
process.send?.(answer, () => process.disconnect());
