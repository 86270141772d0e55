import { monotonicUs } from "@millrace/shared-memory";
import type { AcknowledgementLog } from "./acknowledgement-log.js";
import { percentilesOf } from "./load-charts.js";
import { LoadConsumers } from "./load-consumers.js";
import { LoadDriver, type LoadPlan } from "./load-driver.js";
import { type LoadOptions, QUANTITY_MAX } from "./load-options.js";
import type { LoadSampler } from "./load-sampler.js";
import type { LoadSlaves } from "./load-slaves.js";
import type { LoadFigures } from "./load-summary.js";
import type { ConsumedTarget, LoadStoreOptions, LoadTarget, OpenStore, SharedTarget } from "./load-target.js";
import type { MessageContent } from "./message-content.js";
import { FixedRate, type Pace, UNPACED } from "./pace.js";
import { ProgressLine } from "./progress-line.js";
import { SentTimes } from "./sent-times.js";

export interface LoadRunSeams {
  readonly openStore: OpenStore;
  readonly print: (line: string) => void;
  /** Aborted when the user wants the load to end early. */
  readonly interrupt: AbortSignal;
  /** Looks at the load, where a report is wanted. */
  readonly sampler?: LoadSampler;
  /** Where the store has some. */
  readonly slaves?: LoadSlaves;
}

/**
 * Closes a store that was loaded. What it answers with when a force has failed, say, is told with the figures: what it has acknowledged
 * is verified all the same.
 */
export async function closeFailureOf(store: LoadTarget): Promise<string | undefined> {
  try {
    await store.close();
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    return `${typeof code === "string" ? `${code} ` : ""}${message ?? error}`;
  }
}

/** The store while it is loaded: producer and consumers, and the restart in the middle when one is wanted. */
export class LoadSession {
  readonly #options: LoadOptions;
  readonly #storeOptions: LoadStoreOptions;
  readonly #content: MessageContent;
  readonly #acks: AcknowledgementLog;
  readonly #slots: number;
  readonly #seams: LoadRunSeams;
  readonly #sent = new SentTimes();
  /** Of the stores that have been closed. */
  #forces = 0;
  #rolls = 0;
  #restartSeconds: number | undefined;

  constructor(
    options: LoadOptions,
    storeOptions: LoadStoreOptions,
    content: MessageContent,
    acks: AcknowledgementLog,
    slots: number,
    seams: LoadRunSeams,
  ) {
    this.#options = options;
    this.#storeOptions = storeOptions;
    this.#content = content;
    this.#acks = acks;
    this.#slots = slots;
    this.#seams = seams;
  }

  /** Sends the load, consumes it, and closes the store, whatever happens. */
  async run(): Promise<LoadFigures> {
    const { batchSize, messageSize, rate, consume, restart } = this.#options;
    const { interrupt, print, sampler, slaves } = this.#seams;
    let store = await this.#seams.openStore(this.#storeOptions);
    const fromOffset = store.maxPhysicalOffset;
    let closeFailure: string | undefined;
    let startUs: number;
    let driver: LoadDriver;
    let consumers: LoadConsumers | undefined;
    let progress: ProgressLine | undefined;
    try {
      await slaves?.follow(store);
      consumers = consume ? new LoadConsumers(store, this.#content, this.#sent) : undefined;
      consumers?.start(store);
      startUs = monotonicUs();
      const pace = rate === undefined ? UNPACED : new FixedRate(startUs, rate / batchSize);
      driver = new LoadDriver(store, this.#content, this.#acks, this.#plan(pace, restart ? 0.5 : 1));
      const stop = (): void => driver.stop();
      if (interrupt.aborted) stop();
      interrupt.addEventListener("abort", stop);
      progress = new ProgressLine(store, driver, consumers, batchSize, messageSize, print);
      sampler?.start(store, driver, consumers, batchSize);
      await driver.run();
      if (restart && !driver.isStopped) {
        store = await this.#restart(store, consumers);
        await slaves?.follow(store);
        progress.target = store;
        if (sampler !== undefined) sampler.target = store;
        consumers?.start(store);
        await driver.goOn(store, this.#plan(pace, 1));
      }
      await consumers?.caughtUp(store);
      await slaves?.caughtUp(store);
      this.#count(store);
    } finally {
      progress?.stop();
      sampler?.stop();
      closeFailure = await closeFailureOf(store);
      await consumers?.ended();
    }
    // Only now have the consumers seen all that they will ever see.
    return { ...this.#figures(driver, (driver.endedUs - startUs) / 1e6, consumers), fromOffset, closeFailure };
  }

  /** Until this share of the whole has been sent; a duration is halved, not shortened, by a restart. */
  #plan(pace: Pace, share: number): LoadPlan {
    const { messageQuantity, batchSize, duration, restart } = this.#options;
    const units = Math.floor((messageQuantity ?? QUANTITY_MAX) / batchSize);
    const seconds = duration === undefined ? Number.POSITIVE_INFINITY : restart ? duration / 2 : duration;
    return {
      pace,
      slots: this.#slots,
      units: messageQuantity === undefined ? units : Math.ceil(units * share),
      deadlineUs: monotonicUs() + seconds * 1e6,
      ...(this.#options.consume ? { sent: this.#sent } : {}),
    };
  }

  /** Closes the store under its consumers, wherever they are, and opens it again. */
  async #restart(store: SharedTarget, consumers: LoadConsumers | undefined): Promise<SharedTarget> {
    this.#count(store);
    const closedUs = monotonicUs();
    await store.close();
    await consumers?.ended();
    const opened = await this.#seams.openStore(this.#storeOptions);
    this.#restartSeconds = (monotonicUs() - closedUs) / 1e6;
    this.#seams.print(`closed and re-opened in ${this.#restartSeconds.toFixed(2)} s, the consumers go on from their offsets`);
    return opened;
  }

  #count(store: ConsumedTarget): void {
    const { flush, append } = store.stats();
    this.#forces += flush.forces;
    this.#rolls += append.rolls;
  }

  #figures(driver: LoadDriver, seconds: number, consumers: LoadConsumers | undefined) {
    const { batchSize } = this.#options;
    return {
      messages: driver.sentUnits * batchSize,
      acked: driver.ackedUnits * batchSize,
      unreplicated: driver.unreplicatedUnits * batchSize,
      failed: driver.failedUnits * batchSize,
      firstFailure: driver.firstFailure,
      seconds: seconds - (this.#restartSeconds ?? 0),
      latencyUs: driver.latencyUs.snapshot(),
      percentiles: percentilesOf(driver.latencyUs),
      forces: this.#forces,
      rolls: this.#rolls,
      interrupted: this.#seams.interrupt.aborted,
      restartSeconds: this.#restartSeconds,
      consumption: consumers?.result(driver.sentUnits, this.#acks),
    };
  }
}
