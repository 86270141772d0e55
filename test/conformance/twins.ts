import type { RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { seededRandom } from "../support/random.js";
import type { SeedRun } from "./campaign.js";
import { Scenario } from "./scenario.js";
import type { StoreProgram } from "./store-program.js";
import { compareTwins } from "./twin-directories.js";

const PUTS_MOST = 100;

/**
 * The same puts in two empty directories, one of each engine, RocketMQ's clock standing where Millrace's stood: the files must be
 * the same to the last byte, the property strings too, whose order is that of a Java HashMap. Two things are left out: 4.9 ends the
 * property string of a delayed message without a 0x02, so it gets none; and RocketMQ indexes tags from 5.4 on, so for the index
 * only seeds without tags count.
 */
export class Twins implements SeedRun {
  readonly story: string[] = [];
  readonly #scenario: Scenario;
  readonly #isIndexSame: boolean;
  readonly #putCount: number;
  readonly #directory: string;

  constructor(series: RocketMqSeries, seed: number, directory: string) {
    const hasTags = series === "4.9" || seed % 2 === 0;
    this.#isIndexSame = series === "4.9" || !hasTags;
    this.#scenario = new Scenario(seed, series, { hasDelays: series === "5", hasTags });
    this.#putCount = 1 + seededRandom(seed)(PUTS_MOST);
    this.#directory = directory;
    this.story.push(`options ${JSON.stringify(this.#scenario.options)}`);
  }

  async run(programs: ReadonlyMap<string, StoreProgram>): Promise<void> {
    const puts = this.#scenario.puts(this.#putCount).map(({ messages, isBatch }) => ({ messages, isBatch }));
    await compareTwins(programs, this.#directory, this.#scenario.options, puts, this.#isIndexSame);
  }
}
