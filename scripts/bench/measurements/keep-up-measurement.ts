import { monotonicUs } from "@millrace/shared-memory";
import { LoadDriver } from "../../load-generator/load-driver.js";
import { UNPACED } from "../../load-generator/pace.js";
import { benchContent } from "../contestants/load-contestant.js";
import { openReadyStore } from "../contestants/store-contestant.js";
import type { KeepUpJob, KeepUpResult } from "./job.js";

const MESSAGE_SIZE = 1024;
/** About. */
const RECORD_LENGTH = MESSAGE_SIZE + 128;
const WINDOW = 1024;
const SAMPLE_MS = 5;
const CATCH_UP_MAX_MS = 60_000;

/** ASYNC_FLUSH, 1 KiB, as fast as it goes: how far the dispatcher falls behind. */
export async function measureKeepUp(job: KeepUpJob): Promise<KeepUpResult> {
  const store = await openReadyStore({ storePathRootDir: job.directory });
  const units = Math.ceil(job.bytes / RECORD_LENGTH);
  const startUs = monotonicUs();
  const plan = { pace: UNPACED, slots: WINDOW, units, deadlineUs: Number.POSITIVE_INFINITY };
  const driver = new LoadDriver(store, benchContent(MESSAGE_SIZE), undefined, plan);
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(store.dispatchBehindBytes), SAMPLE_MS);
  await driver.run();
  clearInterval(timer);
  samples.push(store.dispatchBehindBytes);
  while (store.dispatchBehindBytes > 0 && monotonicUs() - driver.endedUs < CATCH_UP_MAX_MS * 1000) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const catchUpMs = (monotonicUs() - driver.endedUs) / 1000;
  const bytes = store.maxPhysicalOffset;
  await store.close();
  if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
  const quarter = Math.floor(samples.length / 4);
  return {
    bytes,
    msgPerSec: (driver.ackedUnits * 1e6) / (driver.endedUs - startUs),
    maxLagBytes: greatest(samples),
    earlyLagBytes: greatest(samples.slice(quarter, 2 * quarter)),
    lateLagBytes: greatest(samples.slice(3 * quarter)),
    catchUpMs,
  };
}

function greatest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}
