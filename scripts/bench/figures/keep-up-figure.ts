import { runInChild } from "../measurements/child-measurement.js";
import type { KeepUpResult } from "../measurements/job.js";
import type { Figure } from "./figure.js";
import { formatRate } from "./table.js";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** A lag that does not grow: at most this much more late in the run than early, or less than this. */
const BOUNDED_GROWTH = 1.5;
const BOUNDED_BYTES = 16 * MIB;

/** Whether the dispatcher falls behind when messages come as fast as they can. */
export const KEEP_UP: Figure = {
  name: "dispatch-keep-up",
  meaning: "a log as long as --gib, dispatched at full speed",
  once: ({ options, directory, wants }) => {
    if (!wants("dispatch-keep-up")) return [];
    return [
      async (results) => {
        const job = (empty: string) => ({ kind: "keep-up", bytes: options.gib * GIB, directory: empty }) as const;
        results.keepUps.push(await runInChild<KeepUpResult>(directory, job));
      },
    ];
  },
  goals: ({ keepUps }) => {
    const [result] = keepUps;
    const wanted = "does not grow";
    if (result === undefined) return [{ name: "dispatch keeps up, 1024 B", measured: "-", wanted, reached: undefined }];
    const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
    return [
      {
        name: `dispatch keeps up, 1024 B, ${(result.bytes / GIB).toFixed(1)} GiB`,
        measured: `lag at most ${mib(result.maxLagBytes)} MiB, ${mib(result.earlyLagBytes)} early, ${mib(result.lateLagBytes)} late`,
        wanted,
        reached: result.lateLagBytes <= Math.max(BOUNDED_BYTES, BOUNDED_GROWTH * result.earlyLagBytes),
      },
    ];
  },
  heading: "Dispatch and recovery",
  lines: ({ keepUps }) =>
    keepUps.map((result) => {
      const size = `${(result.bytes / GIB).toFixed(1)} GiB at ${formatRate(result.msgPerSec)} messages/s`;
      const lag = `${(result.maxLagBytes / MIB).toFixed(1)} MiB`;
      return `- ${size}: dispatch at most ${lag} behind, done ${result.catchUpMs.toFixed(0)} ms after the last acknowledgement`;
    }),
};
