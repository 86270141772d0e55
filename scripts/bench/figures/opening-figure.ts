import { runInChild } from "../measurements/child-measurement.js";
import type { OpeningResult } from "../measurements/job.js";
import type { Figure } from "./figure.js";
import { median } from "./results.js";
import { formatSpread } from "./table.js";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** How long `MessageStore.open` takes, and what a new store takes on the disk. */
export const OPENING: Figure = {
  name: "opening",
  meaning: "opening what is new, closed, killed; a log as long as --gib",
  once: ({ options, directory, wants }) => {
    if (!wants("opening")) return [];
    return [
      async (results) => {
        const { gib, rounds } = options;
        const job = (empty: string) => ({ kind: "opening", bytes: gib * GIB, rounds, directory: empty }) as const;
        results.openings.push(await runInChild<OpeningResult>(directory, job));
      },
    ];
  },
  heading: "Opening",
  lines: ({ openings }) =>
    openings.map((result) => {
      const ms = (seconds: readonly number[]): string => `${(1000 * median(seconds)).toFixed(0)} ms${formatSpread(seconds)}`;
      const log = `${(result.logBytes / GIB).toFixed(1)} GiB closed ${ms(result.closedSeconds)}, killed ${ms(result.killedSeconds)}`;
      const blocks = `with one message ${(result.newBlocksBytes / MIB).toFixed(1)} MiB on the disk`;
      return `- new ${ms(result.newSeconds)}, ${blocks}; ${log}`;
    }),
};
