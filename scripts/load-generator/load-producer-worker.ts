/** One producer of `--producers n`, on a thread of its own: a driver over a `MessageProducer`. Entry of the thread. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { LATENCY_HISTOGRAM_LENGTH, LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { ProducerHandle } from "@millrace/store";
import { MessageProducer } from "@millrace/store/producer";
import { AcknowledgementLog } from "./acknowledgement-log.js";
import { LoadDriver } from "./load-driver.js";
import type { LoadOptions } from "./load-options.js";
import { MessageContent } from "./message-content.js";
import { UNPACED } from "./pace.js";

export interface LoadProducerTask {
  readonly handle: ProducerHandle;
  /** The producer's share: its own topics, its quantity. */
  readonly options: LoadOptions;
  readonly slots: number;
}

/** What a producer has sent; its last word. */
export interface LoadProducerFigures {
  readonly units: number;
  readonly ackedUnits: number;
  readonly unreplicatedUnits: number;
  readonly failedUnits: number;
  readonly firstFailure: string | undefined;
  readonly beganUs: number;
  readonly endedUs: number;
  readonly latencyUs: ArrayBuffer;
  readonly acks: readonly Float64Array<ArrayBuffer>[];
}

async function produce({ handle, options, slots }: LoadProducerTask): Promise<void> {
  const { messageQuantity, batchSize, duration } = options;
  const latencyUs = new ArrayBuffer(LATENCY_HISTOGRAM_LENGTH);
  const acks = new AcknowledgementLog();
  await using producer = MessageProducer.attach(handle);
  const beganUs = monotonicUs();
  const plan = {
    pace: UNPACED,
    slots,
    units: messageQuantity === undefined ? Number.POSITIVE_INFINITY : messageQuantity / batchSize,
    deadlineUs: duration === undefined ? Number.POSITIVE_INFINITY : beganUs + duration * 1e6,
  };
  const driver = new LoadDriver(producer, new MessageContent(options), acks, plan, new LatencyHistogram(latencyUs));
  parentPort?.once("message", () => driver.stop());
  await driver.run();
  const figures: LoadProducerFigures = {
    units: driver.sentUnits,
    ackedUnits: driver.ackedUnits,
    unreplicatedUnits: driver.unreplicatedUnits,
    failedUnits: driver.failedUnits,
    firstFailure: driver.firstFailure,
    beganUs,
    endedUs: driver.endedUs,
    latencyUs,
    acks: acks.chunks,
  };
  parentPort?.postMessage(figures);
  parentPort?.close();
}

if (!isMainThread) await produce(workerData as LoadProducerTask);
