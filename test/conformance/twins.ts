import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { decodeIndexHeader, storePaths } from "@millrace/format";
import type { RocketMqSeries } from "#scripts/bench/java-toolchain.js";
import { seededRandom } from "../random.js";
import type { SeedRun } from "./campaign.js";
import type { ProgramOptions, Put, PutAnswer } from "./protocol.js";
import { Scenario } from "./scenario.js";
import type { StoreProgram } from "./store-program.js";

const PUTS_MOST = 100;

/**
 * The same puts in two empty directories, one of each engine, RocketMQ's clock standing where Millrace's stood: the files must be the same to the last byte,
 * the property strings too, whose order is that of a Java HashMap. Two things are left out: 4.9 ends the property string of a delayed message without a 0x02,
 * so it gets none; and RocketMQ indexes tags from 5.4 on, so for the index only seeds without tags count.
 */
export class Twins implements SeedRun {
  readonly story: string[] = [];
  readonly #series: RocketMqSeries;
  readonly #scenario: Scenario;
  readonly #isIndexSame: boolean;
  readonly #putCount: number;
  readonly #directory: string;

  constructor(series: RocketMqSeries, seed: number, directory: string) {
    this.#series = series;
    const hasTags = series === "4.9" || seed % 2 === 0;
    this.#isIndexSame = series === "4.9" || !hasTags;
    this.#scenario = new Scenario(seed, series, { hasDelays: series === "5", hasTags });
    this.#putCount = 1 + seededRandom(seed)(PUTS_MOST);
    this.#directory = directory;
    this.story.push(`options ${JSON.stringify(this.#scenario.options)}`);
  }

  async run(programs: ReadonlyMap<string, StoreProgram>): Promise<void> {
    const puts = this.#scenario.puts(this.#putCount).map(({ messages, isBatch }) => ({ messages, isBatch }));
    const [millrace, rocketmq] = [join(this.#directory, "millrace"), join(this.#directory, "rocketmq")];
    const { options } = this.#scenario;
    const answers = await write(programs.get("millrace") as StoreProgram, millrace, options, puts);
    const stamped = puts.map((put, index) => {
      const storeTimestamp = answers[index]?.storeTimestamp;
      return storeTimestamp === undefined ? put : { ...put, storeTimestamp };
    });
    const twinAnswers = await write(programs.get("rocketmq") as StoreProgram, rocketmq, options, stamped);
    for (const [index, answer] of answers.entries()) this.#compareAnswers(index, answer, twinAnswers[index]);
    compareFiles("commitlog", files(storePaths(millrace).commitLog), files(storePaths(rocketmq).commitLog));
    compareFiles("consumequeue", files(storePaths(millrace).consumeQueue), files(storePaths(rocketmq).consumeQueue));
    if (this.#isIndexSame) {
      compareFiles("index", numbered(files(storePaths(millrace).index)), numbered(files(storePaths(rocketmq).index)));
    }
  }

  #compareAnswers(index: number, answer: PutAnswer, twin: PutAnswer | undefined): void {
    const refusals = ["MESSAGE_ILLEGAL", "PROPERTIES_SIZE_EXCEEDED"];
    // 4.9 has one name for both.
    if (this.#series === "4.9" && refusals.includes(answer.status) && refusals.includes(twin?.status ?? "")) return;
    if (isDeepStrictEqual(answer, twin)) return;
    throw new Error(`put ${index}\n  millrace ${JSON.stringify(answer)}\n  rocketmq ${JSON.stringify(twin)}`);
  }
}

async function write(
  program: StoreProgram,
  directory: string,
  options: ProgramOptions,
  puts: readonly Put[],
): Promise<PutAnswer[]> {
  await program.call("open", { directory, options });
  const answers = await program.call("put", { directory, puts });
  await program.call("settle", { directory });
  await program.call("close", { directory });
  return answers;
}

/** By path below the directory. */
function files(directory: string): Map<string, Buffer> {
  if (!existsSync(directory)) return new Map();
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path)]));
}

/** Index files are named for the moment that they were made in. RocketMQ makes the first one before there is a key; Millrace does not. */
function numbered(byName: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const used = [...byName.values()].filter((bytes) => decodeIndexHeader(bytes).indexCount > 1);
  return new Map(used.map((bytes, index) => [String(index), bytes]));
}

function compareFiles(kind: string, millrace: ReadonlyMap<string, Buffer>, rocketmq: ReadonlyMap<string, Buffer>): void {
  const names = { millrace: [...millrace.keys()], rocketmq: [...rocketmq.keys()] };
  if (!isDeepStrictEqual(names.millrace, names.rocketmq)) throw new Error(`${kind} has other files\n  ${JSON.stringify(names)}`);
  for (const [name, bytes] of millrace) {
    const twin = rocketmq.get(name) as Buffer;
    if (bytes.equals(twin)) continue;
    const at = bytes.findIndex((byte, index) => byte !== twin[index]);
    const around = (buffer: Buffer): string => buffer.subarray(Math.max(0, at - 20), at + 60).toString("hex");
    throw new Error(
      `${kind}/${name} differs: at=${at} lengths=${bytes.length},${twin.length}\n  millrace ${around(bytes)}\n  rocketmq ${around(twin)}`,
    );
  }
}
