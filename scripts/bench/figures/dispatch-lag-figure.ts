import { runInChild } from "../measurements/child-measurement.js";
import type { DispatchLagResult } from "../measurements/job.js";
import type { Figure, Task } from "./figure.js";
import { goalOf } from "./goal.js";
import { medianOf } from "./results.js";
import { formatRate, formatUs } from "./table.js";

/** How soon a message can be read, at half the maximum rate. */
export const DISPATCH_LAG: Figure = {
  name: "dispatch-lag",
  meaning: "from the put to the moment when it can be read",
  once: ({ options, directory, wants }) => {
    if (!wants("dispatch-lag")) return [];
    const seconds = options.quick ? 2 : 5;
    const task: Task = async (results) => {
      const job = (empty: string) => ({ kind: "dispatch-lag", seconds, directory: empty }) as const;
      results.dispatchLags.push(await runInChild<DispatchLagResult>(directory, job));
    };
    return Array.from({ length: options.quick ? 1 : 3 }, () => task);
  },
  goals: ({ dispatchLags }) => {
    const p50 = medianOf(dispatchLags, (result) => result.polledP50Us);
    const us = (value: number): string => `${value.toFixed(0)} us`;
    return [goalOf("put to readable at half the maximum rate, p50", "at most 100 us", p50, us, (value) => value <= 100)];
  },
  heading: "Dispatch and recovery",
  lines: ({ dispatchLags }) =>
    dispatchLags.map((result) => {
      const polled = `${formatUs(result.polledP50Us)} / ${formatUs(result.polledP99Us)}`;
      const woken = `${formatUs(result.wokenP50Us)} / ${formatUs(result.wokenP99Us)}`;
      const rate = `${formatRate(result.msgPerSec)} of ${formatRate(result.maxMsgPerSec)} messages/s`;
      return `- ${rate}: put to readable p50 / p99 ${polled}, to a waiting consumer's loop ${woken} (${result.probes} probes)`;
    }),
};
