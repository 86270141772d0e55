import { runInChild } from "../measurements/child-measurement.js";
import type { SeedResult, SeedWay } from "../measurements/job.js";
import type { Figure } from "./figure.js";
import { type Row, table } from "./table.js";

const LINES = 1_000_000;

const SEED_WAYS: readonly (readonly [SeedWay, string])[] = [
  ["mapping", "Uint8Array.set into a mapping"],
  ["stream", "fs.createWriteStream"],
  ["writeSync", "fs.writeSync per line"],
];

/** What a mapping is worth, without a store around it. */
export const SEED: Figure = {
  name: "seed",
  meaning: "a million lines written with a mapping, a stream, writeSync",
  round: ({ directory, wants }) =>
    wants("seed")
      ? SEED_WAYS.map(([way]) => async (results) => {
          const job = (empty: string) => ({ kind: "seed", way, lines: LINES, directory: empty }) as const;
          results.addSeed(way, (await runInChild<SeedResult>(directory, job)).seconds);
        })
      : [],
  heading: "A line of 11 bytes, a million times",
  lines: (results) => {
    const stream = results.seedRoundsPerSecond("stream");
    const rows = SEED_WAYS.flatMap(([way, title]): Row[] => {
      const rounds = results.seedRoundsPerSecond(way);
      if (rounds === undefined) return [];
      return [[title, rounds.toFixed(2), stream === undefined ? "-" : `${(rounds / stream).toFixed(1)} x`]];
    });
    return rows.length === 0 ? [] : table(["", "rounds per second", "against the stream"], rows);
  },
};
