/** A thread that puts, for `measureProducers`. Its workerData is a {@link ProducerTask}; it posts how many were acknowledged in time. */
import { parentPort, workerData } from "node:worker_threads";
import { MessageProducer, type ProducerHandle } from "@millrace/store/producer";
import { LoadDriver } from "../../load-generator/load-driver.js";
import { UNPACED } from "../../load-generator/pace.js";
import { benchContent } from "../contestants/load-contestant.js";

export interface ProducerTask {
  readonly handle: ProducerHandle;
  readonly messageSize: number;
  readonly inFlight: number;
  /** Microseconds of the monotonic clock: end of the warm-up, end of the measurement. */
  readonly startUs: number;
  readonly endUs: number;
}

const { handle, messageSize, inFlight, startUs, endUs } = workerData as ProducerTask;
const producer = MessageProducer.attach(handle);

async function putUntil(deadlineUs: number): Promise<number> {
  const plan = { pace: UNPACED, slots: inFlight, units: Number.POSITIVE_INFINITY, deadlineUs };
  const driver = new LoadDriver(producer, benchContent(messageSize), undefined, plan);
  await driver.run();
  if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
  return driver.ackedUnits;
}

await putUntil(startUs);
parentPort?.postMessage(await putUntil(endUs));
await producer.close();
