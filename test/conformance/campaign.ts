import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "./engine.js";
import type { StoreProgram } from "./store-program.js";

export interface SeedRun {
  /** What was done, for the one who looks at a failure. */
  readonly story: readonly string[];
  run(programs: ReadonlyMap<string, StoreProgram>): Promise<void>;
}

export interface SeedFailure {
  readonly seed: number;
  readonly error: unknown;
  readonly story: readonly string[];
}

/**
 * Runs many seeds, some at a time, each in a directory of its own, on one process of each engine.
 *
 * @param make the run of one seed
 * @param onSeed told of each seed that is through
 */
export async function runSeeds(
  engines: readonly Engine[],
  seeds: readonly number[],
  atATime: number,
  make: (seed: number, directory: string) => SeedRun,
  onSeed: (done: number) => void = () => {},
): Promise<SeedFailure[]> {
  const root = mkdtempSync(join(tmpdir(), "millrace-conformance-"));
  const programs = new Map(engines.map((engine) => [engine.name, engine.start()]));
  const failures: SeedFailure[] = [];
  const waiting = [...seeds];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const directory = join(root, String(seed));
      const run = make(seed, directory);
      try {
        await run.run(programs);
      } catch (error) {
        failures.push({ seed, error, story: run.story });
      }
      rmSync(directory, { recursive: true, force: true });
      onSeed(++done);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atATime, seeds.length) }, work));
  } finally {
    // What a failed run left open need not be closed.
    await Promise.all(
      [...programs.values()].map((program) => (failures.length > 0 ? program.kill() : program[Symbol.asyncDispose]())),
    );
    rmSync(root, { recursive: true, force: true });
  }
  return failures.sort((a, b) => a.seed - b.seed);
}
