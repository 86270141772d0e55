import type { LatencyHistogram } from "@millrace/shared-memory";
import type { StoreStats } from "@millrace/stats";
import type { LoadSample } from "../../load-generator/load-sampler.js";
import type { PutTarget } from "../../load-generator/load-target.js";

/** Something that messages are put into: opened, warmed up, measured, closed. */
export interface Contestant {
  /**
   * Puts messages until the deadline, always as many in flight as the workload says.
   *
   * @param deadlineUs microseconds of the monotonic clock
   * @returns how many were acknowledged
   */
  run(deadlineUs: number, latencyUs: LatencyHistogram): Promise<number>;
  /** Of the last run, where the workload wants it and the contestant has such figures. */
  readonly samples?: readonly LoadSample[];
  /** Until the work that puts have caused is done, as far as it belongs to them: dispatching. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** What a contestant puts into, by the driver that is the same for all. */
export interface BenchTarget extends PutTarget {
  settled?(): Promise<void>;
  /** For the samples of a report. */
  stats?(): StoreStats;
  close(): Promise<void>;
}
