import { durableOffset, endOffset, LatencyHistogram, monotonicMs } from "@millrace/shared-memory";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { RecoveryReport } from "../recover/recovery-report.js";
import { isHeard, publish } from "../tell/store-channels.js";

/** The threads say nothing for it: what they have counted is looked at so often. */
const LOOK_MS = 100;

/** Tells those who listen of forces and rolls, which happen on other threads. Main thread. */
export class ServiceChannels {
  readonly #pipeline: Pipeline;
  readonly #forceUs: readonly LatencyHistogram[];
  readonly #timer: NodeJS.Timeout;
  #forces = 0;
  #forcesUs = 0;
  #flushedOffset = 0;
  #rolls = 0;

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
    const { forceUs, appendForceUs } = pipeline.data;
    this.#forceUs = [new LatencyHistogram(forceUs), new LatencyHistogram(appendForceUs)];
    this.#flushedOffset = durableOffset(pipeline.control.counters);
    this.#timer = setInterval(this.#look, LOOK_MS).unref();
  }

  /** What has happened since the last look is told. */
  close(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  readonly #look = (): void => {
    const { counters } = this.#pipeline.control;
    const { storePathRootDir: store, mappedFileSizeCommitLog } = this.#pipeline.data.config;
    const [forces, forcesUs] = this.#forceUs.reduce(([n, us], { count, sumUs }) => [n + count, us + sumUs], [0, 0]);
    const flushedOffset = durableOffset(counters);
    const rolls = counters.appendRolls.get();
    if (isHeard("force") && forces > this.#forces) {
      const event = { forces: forces - this.#forces, bytes: flushedOffset - this.#flushedOffset, flushedOffset };
      publish("force", { store, service: "flush", ...event, meanUs: (forcesUs - this.#forcesUs) / event.forces });
    }
    if (isHeard("roll") && rolls > this.#rolls) {
      const end = endOffset(counters);
      const fromOffset = end - (end % mappedFileSizeCommitLog);
      const longestUs = counters.appendRollMaxUs.get();
      publish("roll", { store, service: "append", rolls: rolls - this.#rolls, fromOffset, longestUs });
    }
    this.#forces = forces;
    this.#forcesUs = forcesUs;
    this.#flushedOffset = flushedOffset;
    this.#rolls = rolls;
  };
}

/** @param beganMs when the store began to be opened, by the monotonic clock */
export function publishRecovery(store: string, report: RecoveryReport, beganMs: number): void {
  if (!isHeard("recovery")) return;
  const { lastExitOk, minOffset, maxOffset, cut, bytesScanned, bytesRewritten, corrupt } = report;
  publish("recovery", {
    store,
    service: "recover",
    lastExitOk,
    minOffset,
    maxOffset,
    cutOffset: cut?.offset,
    bytesScanned,
    bytesRewritten,
    corrupt: corrupt.length,
    durationMs: monotonicMs() - beganMs,
  });
}
