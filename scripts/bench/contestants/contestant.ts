import type { LatencyHistogram } from "@millrace/shared-memory";

/** Something that messages are put into: opened, warmed up, measured, closed. */
export interface Contestant {
  /**
   * Puts messages until the deadline, always as many in flight as the workload says.
   *
   * @param deadlineUs microseconds of the monotonic clock
   * @returns how many were acknowledged
   */
  run(deadlineUs: number, latencyUs: LatencyHistogram): Promise<number>;
  close(): Promise<void>;
}
