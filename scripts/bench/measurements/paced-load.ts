import { monotonicUs } from "@millrace/shared-memory";
import type { AcknowledgementSink } from "../../load-generator/acknowledgement-log.js";
import { LoadDriver } from "../../load-generator/load-driver.js";
import type { LoadTarget } from "../../load-generator/load-target.js";
import { FixedRate, UNPACED } from "../../load-generator/pace.js";
import { benchContent } from "../contestants/load-contestant.js";

const WINDOW = 1024;
/** As many as a store takes without refusing any; a message that waits for a slot is late, and its latency says so. */
const PACED_SLOTS = 30_000;

/** As fast as a window of 1024 puts goes; messages a second. */
export async function measureMaxRate(store: LoadTarget, messageSize: number, seconds: number): Promise<number> {
  const startUs = monotonicUs();
  const plan = { pace: UNPACED, slots: WINDOW, units: Number.POSITIVE_INFINITY, deadlineUs: startUs + seconds * 1e6 };
  const driver = new LoadDriver(store, benchContent(messageSize), undefined, plan);
  await driver.run();
  if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
  return (driver.ackedUnits * 1e6) / (driver.endedUs - startUs);
}

/** A fixed rate for a while; the pace is given to see when each message was to be sent. */
export async function runPaced(
  store: LoadTarget,
  messageSize: number,
  rate: number,
  seconds: number,
  makeSink?: (pace: FixedRate) => AcknowledgementSink,
): Promise<LoadDriver> {
  const startUs = monotonicUs();
  const pace = new FixedRate(startUs, rate);
  const plan = { pace, slots: PACED_SLOTS, units: Number.POSITIVE_INFINITY, deadlineUs: startUs + seconds * 1e6 };
  const driver = new LoadDriver(store, benchContent(messageSize), makeSink?.(pace), plan);
  await driver.run();
  if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
  return driver;
}
