import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { AcknowledgementLog } from "./acknowledgement-log.js";
import type { LoadOptions } from "./load-options.js";
import { LoadProducers } from "./load-producers.js";
import { type LoadReport, readLoadReport, writeLoadReport } from "./load-report.js";
import { LoadSampler } from "./load-sampler.js";
import { type LoadRunSeams, LoadSession } from "./load-session.js";
import { LoadSlaves } from "./load-slaves.js";
import { formatCount, formatSummary, isGood, type LoadSummary, summarize } from "./load-summary.js";
import type { LoadStoreOptions } from "./load-target.js";
import { LogVerifier, recordMax } from "./log-verifier.js";
import { describeMachine } from "./machine.js";
import { MessageContent } from "./message-content.js";
import { SegmentReader } from "./segment-reader.js";

/** At a fixed rate nothing but memory bounds what is in flight: so many puts, so many bytes of bodies. */
const PACED_SLOTS_MAX = 65_536;
const PACED_BODIES_MAX = 256 * 1024 * 1024;
/** The store's own default; more when the window is wider. */
const WAITING_PUTS = 5000;

/**
 * One run: load, close, re-open, verify. Rejects when the store cannot be opened or re-opened, and when a slave or a producer dies. A
 * temporary directory is kept when anything is wrong: somebody will want to look into it.
 */
export async function runLoad(options: LoadOptions, seams: LoadRunSeams): Promise<LoadSummary> {
  const directory = options.storePathRootDir ?? mkdtempSync(join(tmpdir(), "millrace-load-"));
  const isTemporary = options.storePathRootDir === undefined && !options.keep;
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  if (isTemporary) process.once("exit", remove);
  let isGoodRun = false;
  try {
    const report = await loadAndVerify(options, directory, seams);
    isGoodRun = isGood(report.summary);
    if (options.report !== undefined) writeReport(options.report, report, options.compare, seams.print);
    return report.summary;
  } finally {
    process.off("exit", remove);
    const isUntouched = !existsSync(storePaths(directory).commitLog);
    if (isTemporary && (isGoodRun || isUntouched)) remove();
    else seams.print(`store directory ${directory}`);
  }
}

async function loadAndVerify(options: LoadOptions, directory: string, seams: LoadRunSeams): Promise<LoadReport> {
  const { print } = seams;
  await using slaves = options.slaves === 0 ? undefined : await LoadSlaves.prepare(options, join(directory, "slaves"));
  const slots = slotsOf(options);
  const storeOptions: LoadStoreOptions = {
    storePathRootDir: directory,
    mappedFileSizeCommitLog: options.mappedFileSizeCommitLog,
    flushDiskType: options.flushDiskType,
    transientStorePoolEnable: options.transientStorePoolEnable,
    warmMapedFileEnable: options.warmMapedFileEnable,
    writeWithoutMmap: options.writeWithoutMmap,
    maxAsyncPutMessageRequests: Math.max(WAITING_PUTS, slots),
    cleanFileForciblyEnable: false,
  };
  const content = new MessageContent(options);
  const acks = new AcknowledgementLog();
  const sampler = options.report === undefined ? undefined : new LoadSampler();
  if (options.compare !== undefined) readLoadReport(options.compare); // before anything is done
  print(describe(options, directory));
  const loaded = { ...storeOptions, ...slaves?.masterOptions };
  const looked = {
    ...seams,
    ...(sampler === undefined ? {} : { sampler }),
    ...(slaves === undefined ? {} : { slaves, interrupt: AbortSignal.any([seams.interrupt, slaves.death]) }),
  };
  const producers = new LoadProducers(options, loaded, slots, looked);
  const isAlone = options.producers === 1;
  const figures = isAlone ? await new LoadSession(options, loaded, content, acks, slots, looked).run() : await producers.run();
  const loads = isAlone ? [{ content, acks, units: figures.messages / options.batchSize }] : producers.loads;

  const closedAt = performance.now();
  const store = await seams.openStore(storeOptions);
  const openedAt = performance.now();
  print(
    `re-opened in ${((openedAt - closedAt) / 1000).toFixed(2)} s, verifying ${formatCount(figures.acked)} acknowledged messages`,
  );
  const { commitLog } = storePaths(directory);
  const reader = new SegmentReader(commitLog, options.mappedFileSizeCommitLog, recordMax(options.messageSize));
  const verification = await new LogVerifier(reader, loads).verify(figures.fromOffset, store.maxPhysicalOffset);
  const replication = slaves?.compare(directory, store.maxPhysicalOffset, figures.fromOffset);
  const verifiedAt = performance.now();
  await store.close();
  const summary = summarize(
    options,
    figures,
    verification,
    (openedAt - closedAt) / 1000,
    (verifiedAt - openedAt) / 1000,
    replication,
  );
  const { percentiles = [] } = figures;
  const machine = describeMachine(directory, undefined);
  return { version: 1, machine, summary, samples: sampler?.samples ?? [], percentiles };
}

function writeReport(path: string, report: LoadReport, compare: string | undefined, print: (line: string) => void): void {
  try {
    writeLoadReport(path, report, compare);
  } catch (error) {
    print(formatSummary(report.summary)); // all that is left of the run
    throw error;
  }
  print(`report ${path}`);
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
  const producers = options.producers === 1 ? "" : ` by ${options.producers} threads`;
  const consumers = options.consume ? `, consumed${options.restart ? ", restarted" : ""}` : "";
  const slaves = options.slaves === 0 ? "" : `, ${options.brokerRole} of ${options.slaves}`;
  return `${options.flushDiskType}${slaves}, ${size}, ${pace}${producers}, ${lanes}${consumers}, for ${until}, in ${directory}`;
}
