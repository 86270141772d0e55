import { runInChild } from "../measurements/child-measurement.js";
import type { RecoveryResult } from "../measurements/job.js";
import type { Figure, Task } from "./figure.js";
import { goalOf } from "./goal.js";
import { medianOf } from "./results.js";

const GIB = 1024 ** 3;
const SIZES = [128, 1024];
/** Small messages are bound by their number, not by their bytes. */
const JUDGED_SIZE = 1024;

/** How fast a log in the page cache is recovered. */
export const RECOVERY: Figure = {
  name: "recovery",
  meaning: "opening after a crash",
  once: ({ options, directory, wants }) => {
    if (!wants("recovery")) return [];
    const bytes = options.quick ? GIB / 4 : GIB;
    const task: Task = async (results) => {
      for (const messageSize of SIZES) {
        const job = (empty: string) => ({ kind: "recovery", bytes, messageSize, directory: empty }) as const;
        results.recoveries.push(await runInChild<RecoveryResult>(directory, job));
      }
    };
    return Array.from({ length: options.quick ? 1 : 3 }, () => task);
  },
  goals: ({ recoveries }) => {
    const judged = recoveries.filter((result) => result.messageSize === JUDGED_SIZE);
    const scan = medianOf(judged, (result) => result.scanBytesPerSec);
    const rate = (value: number): string => `${(value / 1e9).toFixed(2)} GB/s`;
    return [goalOf(`recovery scan with CRCs, ${JUDGED_SIZE} B`, "1 GB/s", scan, rate, (value) => value >= 1e9)];
  },
  heading: "Dispatch and recovery",
  lines: ({ recoveries }) =>
    recoveries.map((result) => {
      const gib = result.logBytes / GIB;
      const size = `${gib.toFixed(2)} GiB of ${result.messageSize} B messages`;
      const perGib = (seconds: number): string => `${(seconds / gib).toFixed(2)} s a GiB`;
      const scan = `scan after a crash ${(result.scanBytesPerSec / 1e9).toFixed(2)} GB/s`;
      const open = `opened in ${perGib(result.openSeconds)}, without ConsumeQueues and index in ${perGib(result.rebuildSeconds)}`;
      return `- ${size}: ${scan}; ${open}`;
    }),
};
