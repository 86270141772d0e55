import { runInChild } from "../measurements/child-measurement.js";
import type { MemoryResult } from "../measurements/job.js";
import type { Figure } from "./figure.js";

const MIB = 1024 * 1024;
const FLAT_GROWTH = 1.1;
const PEAK_BYTES = 150 * MIB;

/** What the process takes beside segment mappings and ring, and whether it grows. */
export const MEMORY: Figure = {
  name: "memory",
  meaning: "bytes of the process after millions of messages",
  once: ({ options, directory, wants }) => {
    const messages = options.quick ? 2_000_000 : 10_000_000;
    if (!wants("memory")) return [];
    return [
      async (results) => {
        results.memory.push(await runInChild<MemoryResult>(directory, (empty) => ({ kind: "memory", messages, directory: empty })));
      },
    ];
  },
  goals: ({ memory }) => {
    const [result] = memory;
    const wanted = "at most 150 MiB, flat";
    const name = "memory beyond mappings and ring";
    if (result === undefined) return [{ name, measured: "-", wanted, reached: undefined }];
    const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
    return [
      {
        name: `${name}, ${(result.messages / 1e6).toFixed(0)} M messages`,
        measured: `peak ${mib(result.peakBytes)} MiB, ${mib(result.earlyBytes)} early, ${mib(result.lateBytes)} late`,
        wanted,
        reached: result.peakBytes <= PEAK_BYTES && result.lateBytes <= FLAT_GROWTH * result.earlyBytes,
      },
    ];
  },
};
