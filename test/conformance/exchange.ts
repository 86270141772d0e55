import { isDeepStrictEqual } from "node:util";
import type { RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { seededRandom } from "../support/random.js";
import { readLog } from "../support/stored-log.js";
import type { SeedRun } from "./campaign.js";
import { DAMAGES_FOR_MILLRACE, DAMAGES_FOR_ROCKETMQ, type Damage, inflict, tearRecord } from "./damage.js";
import { differences, type Leniency } from "./dump-comparison.js";
import type { Engine } from "./engine.js";
import type { DumpLine, Put, PutAnswer } from "./protocol.js";
import { Scenario } from "./scenario.js";
import { type Forecast, StoreModel } from "./store-model.js";
import { ProgramEnded, type StoreProgram } from "./store-program.js";

const TIMES = 8;
const PUTS_MOST = 40;
/** Of so many legs one ends in a crash. */
const CRASH_SHARE = 3;
const LEGS_MOST = 4;

/** How a leg ends: closed, or killed with everything acknowledged, or killed in the middle of puts. */
type Ending = "close" | "halt" | "haltBusy";

/**
 * One directory's life: two engines take turns, each opens what the other left, answers for all that is in it, and puts more. A leg
 * may end in a crash, and a directory may be damaged between two legs. Everything is decided by the seed.
 */
export class Exchange implements SeedRun {
  readonly #engines: readonly [Engine, Engine];
  readonly #series: RocketMqSeries;
  readonly #directory: string;
  readonly #scenario: Scenario;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #model: StoreModel;
  readonly #hasDelays: boolean;
  /** What was done, for the one who looks at a failure. */
  readonly story: string[] = [];
  /** Whether whoever has the directory found it after a crash. */
  #isAfterCrash = false;

  /** @param engines the first one writes first */
  constructor(engines: readonly [Engine, Engine], series: RocketMqSeries, seed: number, directory: string) {
    this.#engines = engines;
    this.#series = series;
    this.#directory = directory;
    this.#hasDelays = series === "5" || seed % 2 === 0;
    this.#scenario = new Scenario(seed, series, { hasDelays: this.#hasDelays, hasTags: true });
    this.#random = seededRandom(seed ^ 0x5eed);
    this.#model = new StoreModel(this.#scenario.options);
    this.story.push(`options ${JSON.stringify(this.#scenario.options)}`);
  }

  /**
   * Throws when an engine answers anything but what the model says.
   *
   * @param programs by engine name: running, shared with other exchanges
   */
  async run(programs: ReadonlyMap<string, StoreProgram>): Promise<void> {
    const legs = 2 + this.#random(LEGS_MOST - 1);
    for (let leg = 0; leg < legs; leg++) {
      const engine = this.#engines[leg % 2] as Engine;
      const isLast = leg === legs - 1;
      const ending = isLast ? "close" : this.#ending(engine);
      const program = ending === "close" ? (programs.get(engine.name) as StoreProgram) : engine.start();
      try {
        await this.#leg(engine, program, { leg, ending, isWriting: !isLast || this.#random(2) === 0 });
      } finally {
        if (ending !== "close") await program.kill();
      }
      this.#isAfterCrash = ending !== "close";
      if (!isLast) this.#betweenLegs(this.#engines[(leg + 1) % 2] as Engine, ending);
    }
  }

  #ending(engine: Engine): Ending {
    // RocketMQ 4.9 would recover without its delay levels and deliver everything at once.
    const isDelivering = this.#series === "4.9" && this.#hasDelays && engine.name === "millrace";
    if (this.#random(CRASH_SHARE) !== 0 || isDelivering) return "close";
    return this.#random(2) === 0 ? "halt" : "haltBusy";
  }

  async #leg(
    engine: Engine,
    program: StoreProgram,
    { leg, ending, isWriting }: { leg: number; ending: Ending; isWriting: boolean },
  ): Promise<void> {
    const directory = this.#directory;
    const { options } = this.#scenario;
    this.story.push(`leg ${leg}: ${engine.name} opens at ${this.#model.maxOffset}`);
    await program.call("open", { directory, options });
    if (leg > 0) {
      await program.call("settle", { directory });
      await this.#check(engine, program);
    }
    if (isWriting) await this.#put(engine, program, this.#scenario.puts(1 + this.#random(PUTS_MOST)));
    if (ending === "close") {
      if (isWriting && this.#random(2) === 0) {
        await program.call("settle", { directory });
        await this.#check(engine, program);
      }
      this.story.push("closes");
      await program.call("close", { directory });
    } else {
      await this.#crash(engine, program, ending);
    }
  }

  async #put(engine: Engine, program: StoreProgram, puts: readonly Put[]): Promise<void> {
    this.story.push(`${engine.name} puts ${puts.length}`);
    const answers = await program.call("put", { directory: this.#directory, puts });
    for (const [index, put] of puts.entries()) {
      const forecast = this.#forecast(engine, put);
      const { storeTimestamp, ...answer } = answers[index] as PutAnswer;
      if (!isDeepStrictEqual(answer, forecast.answer)) {
        throw new Error(
          `put ${index} of ${engine.name}\n  expected ${JSON.stringify(forecast.answer)}\n  found    ${JSON.stringify(answer)}`,
        );
      }
      this.#model.add(forecast, storeTimestamp ?? 0);
    }
  }

  #forecast(engine: Engine, put: Put): Forecast {
    return this.#model.forecast(put, engine.traits(this.#scenario.options.enabledAppendPropCRC));
  }

  async #crash(engine: Engine, program: StoreProgram, ending: Ending): Promise<void> {
    const directory = this.#directory;
    const tail = ending === "haltBusy" ? this.#scenario.puts(PUTS_MOST) : [];
    this.story.push(`is killed${tail.length === 0 ? "" : ` in the middle of ${tail.length} puts`}`);
    const putting = tail.length === 0 ? undefined : unlessEnded(program.call("put", { directory, puts: tail }));
    if (putting !== undefined) await new Promise((resolve) => setTimeout(resolve, this.#random(10)));
    await unlessEnded(program.call("halt", {}));
    const answers = await putting;
    const adopted = this.#adopt(engine, tail);
    if (answers !== undefined && adopted < tail.length) throw new Error(`answered, and not in the log: puts=${tail.length}`);
  }

  /** Of puts that nobody answered, those that are in the log: as many as came before the kill, in order. Returns how many. */
  #adopt(engine: Engine, tail: readonly Put[]): number {
    if (tail.length === 0) return 0;
    const log = readLog(this.#directory);
    const stored = new Map(log.messages.map((message) => [message.physicalOffset, message]));
    let adopted = 0;
    for (const put of tail) {
      const forecast = this.#forecast(engine, put);
      const last = forecast.records.at(-1);
      if (last === undefined) {
        adopted++; // refused
        continue;
      }
      const found = stored.get(last.offset);
      if (found === undefined || found.size !== last.size) break;
      this.#model.add(forecast, found.storeTimestamp);
      adopted++;
    }
    if (log.blanks.has(this.#model.maxOffset)) this.#model.roll();
    this.story.push(`${adopted} of them are in the log, which ends at ${this.#model.maxOffset}`);
    return adopted;
  }

  #betweenLegs(next: Engine, ending: Ending): void {
    const damages: readonly Damage[] = next.name === "millrace" ? DAMAGES_FOR_MILLRACE : DAMAGES_FOR_ROCKETMQ;
    const damage = damages[this.#random(damages.length)] as Damage;
    inflict(this.#directory, damage, this.#random);
    if (damage !== "none") this.story.push(`damage: ${damage}`);
    const last = this.#model.lastRecord;
    // What Millrace has forced cannot be torn: it would rightly call that damage.
    if (ending === "haltBusy" && next.name === "millrace" && last !== undefined && this.#random(2) === 0) {
      tearRecord(this.#directory, this.#scenario.options.mappedFileSizeCommitLog, last, this.#random);
      this.#model.cutLast();
      this.story.push(`the last record is torn: offset=${last.offset}`);
    }
  }

  async #check(engine: Engine, program: StoreProgram): Promise<void> {
    const probe = this.#model.probe(TIMES);
    const found = (await program.call("dump", { directory: this.#directory, probe })) as DumpLine[];
    const isRocketMq = engine.name === "rocketmq";
    const leniency: Leniency = {
      times: isRocketMq && this.#series === "4.9",
      missingKeys: isRocketMq && this.#isAfterCrash,
      collidingKeys: isRocketMq,
    };
    const texts = differences(this.#model.dump(probe), found, leniency);
    if (texts.length > 0) throw new Error(`${engine.name} answers otherwise than expected\n${texts.join("\n")}`);
  }
}

/** Undefined when the program ended before it answered. */
async function unlessEnded<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProgramEnded) return undefined;
    throw error;
  }
}
