import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { LatencyHistogram } from "@millrace/shared-memory";
import { AcknowledgementLog } from "./acknowledgement-log.js";
import { type LoadOptions, producerTopic } from "./load-options.js";
import type { LoadProducerFigures, LoadProducerTask } from "./load-producer-worker.js";
import { closeFailureOf, type LoadRunSeams } from "./load-session.js";
import { formatCount, type LoadFigures } from "./load-summary.js";
import type { LoadStoreOptions, SharedTarget } from "./load-target.js";
import { MessageContent } from "./message-content.js";
import type { ProducedLoad } from "./produced-load.js";

const PROGRESS_MS = 1000;

/** The store while it is loaded by `--producers n`: threads, each with topics of its own, each with its share of window and quantity. */
export class LoadProducers {
  readonly loads: ProducedLoad[] = [];
  readonly #options: LoadOptions;
  readonly #storeOptions: LoadStoreOptions;
  readonly #slots: number;
  readonly #seams: LoadRunSeams;
  readonly #workers: Worker[] = [];

  constructor(options: LoadOptions, storeOptions: LoadStoreOptions, slots: number, seams: LoadRunSeams) {
    this.#options = options;
    this.#storeOptions = storeOptions;
    this.#slots = slots;
    this.#seams = seams;
  }

  /** Sends the load and closes the store, whatever happens. */
  async run(): Promise<LoadFigures> {
    const store = await this.#seams.openStore(this.#storeOptions);
    const fromOffset = store.maxPhysicalOffset;
    const stop = (): void => {
      for (const worker of this.#workers) worker.postMessage("stop");
    };
    let closeFailure: string | undefined;
    let together: Omit<LoadFigures, "fromOffset" | "closeFailure">;
    let progress: NodeJS.Timeout | undefined;
    try {
      const { slaves } = this.#seams;
      await slaves?.follow(store);
      const { producers } = this.#options;
      const figures = Array.from({ length: producers }, (_, index) => this.#start(store, index));
      this.#seams.interrupt.addEventListener("abort", stop);
      if (this.#seams.interrupt.aborted) stop();
      progress = setInterval(
        () => this.#seams.print(`${formatCount(store.stats().put.messages)} messages acknowledged`),
        PROGRESS_MS,
      );
      together = this.#together(await Promise.all(figures), store);
      await slaves?.caughtUp(store);
    } finally {
      clearInterval(progress);
      stop();
      closeFailure = await closeFailureOf(store);
    }
    return { ...together, fromOffset, closeFailure };
  }

  async #start(store: SharedTarget, index: number): Promise<LoadProducerFigures> {
    const { messageQuantity, batchSize, producers, topic } = this.#options;
    const units = messageQuantity === undefined ? undefined : messageQuantity / batchSize;
    const share = units === undefined ? undefined : Math.floor(units / producers) + (index < units % producers ? 1 : 0);
    const quantity = share === undefined ? undefined : share * batchSize;
    const options = { ...this.#options, topic: producerTopic(topic, index), messageQuantity: quantity };
    const handle = store.producerHandle();
    const task: LoadProducerTask = { handle, options, slots: Math.max(1, Math.floor(this.#slots / producers)) };
    const worker = new Worker(new URL("./load-producer-worker.js", import.meta.url), {
      workerData: task,
      transferList: handle.transferList,
    });
    this.#workers.push(worker);
    const ended = once(worker, "exit").then(([code]) => {
      throw new Error(`a producer has ended by itself: producer=${index} exitCode=${code}`);
    });
    const [figures] = (await Promise.race([once(worker, "message"), ended])) as [LoadProducerFigures];
    this.loads[index] = {
      content: new MessageContent(options),
      acks: new AcknowledgementLog(figures.acks),
      units: figures.units,
    };
    return figures;
  }

  #together(all: readonly LoadProducerFigures[], store: SharedTarget) {
    const { batchSize } = this.#options;
    const sum = (of: (figures: LoadProducerFigures) => number): number => all.reduce((total, figures) => total + of(figures), 0);
    const latencyUs = new LatencyHistogram();
    for (const figures of all) latencyUs.add(new LatencyHistogram(figures.latencyUs));
    const { flush, append } = store.stats();
    const beganUs = Math.min(...all.map((figures) => figures.beganUs));
    return {
      messages: sum(({ units }) => units) * batchSize,
      acked: sum(({ ackedUnits }) => ackedUnits) * batchSize,
      unreplicated: sum(({ unreplicatedUnits }) => unreplicatedUnits) * batchSize,
      failed: sum(({ failedUnits }) => failedUnits) * batchSize,
      firstFailure: all.find(({ firstFailure }) => firstFailure !== undefined)?.firstFailure,
      seconds: (Math.max(...all.map(({ endedUs }) => endedUs)) - beganUs) / 1e6,
      latencyUs: latencyUs.snapshot(),
      forces: flush.forces,
      rolls: append.rolls,
      interrupted: this.#seams.interrupt.aborted,
      restartSeconds: undefined,
      consumption: undefined,
    };
  }
}
