import { rmSync, writeFileSync } from "node:fs";
import { storePaths } from "@millrace/format";
import { monotonicUs } from "@millrace/shared-memory";
import { MessageStore, type RecoveryReport } from "@millrace/store";
import { LoadDriver } from "../../load-generator/load-driver.js";
import { MessageContent } from "../../load-generator/message-content.js";
import { UNPACED } from "../../load-generator/pace.js";
import type { RecoveryJob, RecoveryResult } from "./job.js";

const SEGMENT_SIZE = 64 * 1024 * 1024;
const WINDOW = 1024;
const RECORD_OVERHEAD = 128;

interface Opened {
  readonly seconds: number;
  readonly recovery: RecoveryReport;
}

async function open(directory: string): Promise<Opened> {
  const startUs = monotonicUs();
  const store = await MessageStore.open({ storePathRootDir: directory, mappedFileSizeCommitLog: SEGMENT_SIZE });
  const seconds = (monotonicUs() - startUs) / 1e6;
  await store.close();
  return { seconds, recovery: store.recovery };
}

/** Every message has a key, so that the index has all of them. */
async function fill(job: RecoveryJob): Promise<number> {
  const { messageSize, directory } = job;
  const store = await MessageStore.open({ storePathRootDir: directory, mappedFileSizeCommitLog: SEGMENT_SIZE });
  const content = new MessageContent({
    topic: "BenchmarkTest",
    topics: 1,
    queues: 4,
    tags: 0,
    keyEnable: true,
    messageSize,
    batchSize: 1,
  });
  const units = Math.ceil(job.bytes / (messageSize + RECORD_OVERHEAD));
  const driver = new LoadDriver(store, content, undefined, {
    pace: UNPACED,
    slots: WINDOW,
    units,
    deadlineUs: Number.POSITIVE_INFINITY,
  });
  await driver.run();
  await store.close();
  if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
  return driver.ackedUnits;
}

/** How fast a log that is in the page cache is recovered, and its ConsumeQueues and index made again. */
export async function measureRecovery(job: RecoveryJob): Promise<RecoveryResult> {
  const { directory, messageSize } = job;
  const paths = storePaths(directory);
  const messages = await fill(job);
  const clean = await open(directory);
  for (const path of [paths.consumeQueue, paths.index]) rmSync(path, { recursive: true, force: true });
  const rebuilt = await open(directory);
  for (const path of [paths.checkpoint, paths.dispatchedMark]) rmSync(path, { force: true });
  writeFileSync(paths.abort, "");
  const { recovery } = await open(directory);
  if (recovery.messages < messages) throw new Error(`recovery lost messages: messages=${messages} found=${recovery.messages}`);
  return {
    messageSize,
    messages,
    logBytes: recovery.maxOffset,
    scanBytesPerSec: recovery.bytesScanned / recovery.seconds,
    openSeconds: clean.seconds,
    rebuildSeconds: rebuilt.seconds,
  };
}
