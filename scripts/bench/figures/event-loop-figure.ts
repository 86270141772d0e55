import { runInChild } from "../measurements/child-measurement.js";
import type { EventLoopResult } from "../measurements/job.js";
import type { Figure } from "./figure.js";
import { goalOf } from "./goal.js";
import { medianOf } from "./results.js";
import { formatRate } from "./table.js";

/** How long puts at 80 % of the maximum rate keep the event loop from others. */
export const EVENT_LOOP: Figure = {
  name: "event-loop",
  meaning: "how long the event loop keeps others waiting while puts come",
  once: ({ options, directory, wants }) => {
    const seconds = options.quick ? 2 : 5;
    if (!wants("event-loop")) return [];
    return [
      async (results) => {
        const job = (empty: string) => ({ kind: "event-loop", seconds, directory: empty }) as const;
        results.eventLoop.push(await runInChild<EventLoopResult>(directory, job));
      },
    ];
  },
  goals: ({ eventLoop }) => {
    const delay = medianOf(eventLoop, (result) => result.delayP99Ms);
    const ms = (value: number): string => `${value.toFixed(2)} ms`;
    return [goalOf("event-loop delay p99 at 80 % of the maximum rate", "at most 2 ms", delay, ms, (value) => value <= 2)];
  },
  heading: "Single figures",
  lines: ({ eventLoop }) =>
    eventLoop.map((result) => {
      const delays = `${result.delayP50Ms.toFixed(2)} / ${result.delayP99Ms.toFixed(2)} / ${result.delayMaxMs.toFixed(1)} ms`;
      const rate = `${formatRate(result.msgPerSec)} of ${formatRate(result.maxMsgPerSec)} messages/s`;
      return `- ${rate}: event-loop delay p50 / p99 / max ${delays}`;
    }),
};
