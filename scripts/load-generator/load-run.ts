import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { monotonicUs } from "@millrace/shared-memory";
import { AcknowledgementLog } from "./acknowledgement-log.js";
import { LoadDriver } from "./load-driver.js";
import { type LoadOptions, QUANTITY_MAX } from "./load-options.js";
import { formatCount, type LoadFigures, type LoadSummary, summarize } from "./load-summary.js";
import type { LoadStoreOptions, LoadTarget, OpenStore } from "./load-target.js";
import { LogVerifier, recordMax } from "./log-verifier.js";
import { MessageContent } from "./message-content.js";
import { FixedRate, UNPACED } from "./pace.js";
import { ProgressLine } from "./progress-line.js";
import { SegmentReader } from "./segment-reader.js";

/** At a fixed rate nothing but memory bounds what is in flight: so many puts, so many bytes of bodies. */
const PACED_SLOTS_MAX = 65_536;
const PACED_BODIES_MAX = 256 * 1024 * 1024;
/** The store's own default; more when the window is wider. */
const WAITING_PUTS = 5000;

export interface LoadRunSeams {
  readonly openStore: OpenStore;
  readonly print: (line: string) => void;
  /** Aborted when the user wants the load to end early. */
  readonly interrupt: AbortSignal;
}

/** One run: load, close, re-open, verify. Rejects when the store cannot be opened, closed or re-opened. */
export async function runLoad(options: LoadOptions, seams: LoadRunSeams): Promise<LoadSummary> {
  const directory = options.storePathRootDir ?? mkdtempSync(join(tmpdir(), "millrace-load-"));
  const isTemporary = options.storePathRootDir === undefined && !options.keep;
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  if (isTemporary) process.once("exit", remove);
  try {
    return await loadAndVerify(options, directory, seams);
  } finally {
    if (isTemporary) {
      remove();
      process.off("exit", remove);
    } else {
      seams.print(`store directory ${directory}`);
    }
  }
}

async function loadAndVerify(options: LoadOptions, directory: string, seams: LoadRunSeams): Promise<LoadSummary> {
  const { print } = seams;
  const slots = slotsOf(options);
  const storeOptions: LoadStoreOptions = {
    storePathRootDir: directory,
    mappedFileSizeCommitLog: options.mappedFileSizeCommitLog,
    flushDiskType: options.flushDiskType,
    transientStorePoolEnable: options.transientStorePoolEnable,
    warmMapedFileEnable: options.warmMapedFileEnable,
    writeWithoutMmap: options.writeWithoutMmap,
    maxAsyncPutMessageRequests: Math.max(WAITING_PUTS, slots),
  };
  const content = new MessageContent(options);
  const acks = new AcknowledgementLog();
  print(describe(options, directory));
  const figures = await load(await seams.openStore(storeOptions), options, content, acks, slots, seams);

  const closedAt = performance.now();
  const store = await seams.openStore(storeOptions);
  const openedAt = performance.now();
  print(
    `re-opened in ${((openedAt - closedAt) / 1000).toFixed(2)} s, verifying ${formatCount(figures.acked)} acknowledged messages`,
  );
  const reader = new SegmentReader(
    storePaths(directory).commitLog,
    options.mappedFileSizeCommitLog,
    recordMax(options.messageSize),
  );
  const verification = await new LogVerifier(reader, content, acks).verify(figures.messages / options.batchSize);
  const verifiedAt = performance.now();
  await store.close();
  return summarize(options, figures, verification, (openedAt - closedAt) / 1000, (verifiedAt - openedAt) / 1000);
}

function slotsOf(options: LoadOptions): number {
  if (options.inFlight !== undefined) return options.inFlight;
  const putSize = Math.max(1, options.messageSize * options.batchSize);
  return Math.max(1, Math.min(PACED_SLOTS_MAX, Math.floor(PACED_BODIES_MAX / putSize)));
}

function describe(options: LoadOptions, directory: string): string {
  const size = options.batchSize === 1 ? `${options.messageSize} B` : `${options.batchSize} x ${options.messageSize} B`;
  const pace =
    options.rate === undefined ? `${formatCount(options.inFlight ?? 0)} puts in flight` : `${formatCount(options.rate)} messages/s`;
  const until = options.duration === undefined ? `${formatCount(options.messageQuantity ?? 0)} messages` : `${options.duration} s`;
  const lanes = `${options.topics} topic${options.topics === 1 ? "" : "s"} of ${options.queues} queue${options.queues === 1 ? "" : "s"}`;
  return `${options.flushDiskType}, ${size}, ${pace}, ${lanes}, for ${until}, in ${directory}`;
}

/** Sends the load and closes the store, whatever happens. */
async function load(
  store: LoadTarget,
  options: LoadOptions,
  content: MessageContent,
  acks: AcknowledgementLog,
  slots: number,
  { print, interrupt }: LoadRunSeams,
): Promise<LoadFigures> {
  try {
    const startUs = monotonicUs();
    const driver = new LoadDriver(store, content, acks, {
      pace: options.rate === undefined ? UNPACED : new FixedRate(startUs, options.rate / options.batchSize),
      slots,
      units: Math.floor((options.messageQuantity ?? QUANTITY_MAX) / options.batchSize),
      deadlineUs: options.duration === undefined ? Number.POSITIVE_INFINITY : startUs + options.duration * 1e6,
    });
    if (interrupt.aborted) driver.stop();
    interrupt.addEventListener("abort", () => driver.stop());
    const progress = new ProgressLine(store, driver, options.batchSize, options.messageSize, print);
    await driver.run();
    progress.stop();
    const stats = store.stats();
    return {
      messages: driver.sentUnits * options.batchSize,
      acked: driver.ackedUnits * options.batchSize,
      failed: driver.failedUnits * options.batchSize,
      firstFailure: driver.firstFailure,
      seconds: (driver.endedUs - startUs) / 1e6,
      latencyUs: driver.latencyUs.snapshot(),
      forces: stats.flush.forces,
      rolls: stats.append.rolls,
      interrupted: interrupt.aborted,
    };
  } finally {
    await store.close();
  }
}
