import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { storePaths } from "@millrace/format";
import type { RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { CuttableProxy, freePort } from "#scripts/load-generator/cuttable-proxy.js";
import { seededRandom } from "../support/random.js";
import { until } from "../support/until.js";
import type { SeedRun } from "./campaign.js";
import { differences, type Leniency } from "./dump-comparison.js";
import type { Engine } from "./engine.js";
import { removeHalfMadeFiles } from "./half-made-files.js";
import type { DumpLine, ProgramOptions, Put, PutAnswer } from "./protocol.js";
import { Scenario } from "./scenario.js";
import { StoreModel } from "./store-model.js";
import type { StoreProgram } from "./store-program.js";

const TIMES = 4;
const PUTS_MOST = 30;
const STEPS_MOST = 6;
const IDLE_MOST_MS = 400;
const HEARTBEAT_MS = 300;
const SLAVE_TIMEOUT_MS = 700;
/** What a put is answered whose record is in the master's log, and not known to be in the slave's. */
const NOT_REPLICATED = new Set(["FLUSH_SLAVE_TIMEOUT", "SLAVE_NOT_AVAILABLE"]);

/** Of a slave that may be behind its master the offsets are no reason to send a consumer elsewhere: the one asked for is answered. */
const NOT_CORRECTED = new Set(["NO_MATCHED_LOGIC_QUEUE", "NO_MESSAGE_IN_QUEUE", "OFFSET_TOO_SMALL", "OFFSET_OVERFLOW_BADLY"]);

type Side = "master" | "slave";

interface Running {
  readonly engine: Engine;
  readonly directory: string;
  readonly options: ProgramOptions;
  program: StoreProgram;
  wasKilled: boolean;
}

/**
 * A pair: puts go to the master, the slave follows; connections are cut, either side is killed and opened again. In the end the slave's log
 * is the master's, byte for byte, the slave answers as the model says, and opens as a master that takes puts. All by the seed.
 */
export class Replication implements SeedRun {
  readonly story: string[] = [];
  readonly #series: RocketMqSeries;
  readonly #engines: Record<Side, Engine>;
  readonly #root: string;
  readonly #scenario: Scenario;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #model: StoreModel;

  /** @param root for both directories */
  constructor(master: Engine, slave: Engine, series: RocketMqSeries, seed: number, root: string) {
    this.#series = series;
    this.#engines = { master, slave };
    this.#root = root;
    this.#scenario = new Scenario(seed, series, { hasDelays: series === "5", hasTags: true });
    this.#random = seededRandom(seed ^ 0x5eed);
    this.#model = new StoreModel(this.#scenario.options);
  }

  async run(): Promise<void> {
    const port = await freePort();
    await using proxy = await CuttableProxy.before(port);
    const isSync = this.#random(2) === 0;
    const common = { haSendHeartbeatInterval: HEARTBEAT_MS, slaveTimeout: SLAVE_TIMEOUT_MS };
    const master = this.#start("master", {
      ...common,
      brokerRole: isSync ? "SYNC_MASTER" : "ASYNC_MASTER",
      haListenPort: port,
      ...(isSync ? { inSyncReplicas: 2 } : {}),
    });
    const slave = this.#start("slave", {
      ...common,
      brokerRole: "SLAVE",
      haMasterAddress: proxy.address,
    });
    this.story.push(`master ${JSON.stringify(master.options)}`);
    try {
      await this.#open(master);
      await this.#open(slave);
      if (master.engine.name === "rocketmq") await this.#begin(master, slave, isSync);
      const steps = 2 + this.#random(STEPS_MOST - 1);
      for (let step = 0; step < steps; step++) await this.#step(master, slave, proxy, isSync);
      await this.#follow(slave);
      await this.#compare(master, slave);
      await this.#promote(slave);
    } finally {
      await Promise.all([master.program.kill(), slave.program.kill()]);
    }
  }

  /** RocketMQ sends a slave that connects with nothing its last segment: this one is to have something before another one begins. */
  async #begin(master: Running, slave: Running, isSync: boolean): Promise<void> {
    await this.#put(master, this.#scenario.puts(1), isSync);
    await this.#follow(slave);
  }

  #start(side: Side, options: Partial<ProgramOptions>): Running {
    const engine = this.#engines[side];
    const directory = join(this.#root, side);
    return { engine, directory, options: { ...this.#scenario.options, ...options }, program: engine.start(), wasKilled: false };
  }

  async #open({ program, directory, options }: Running): Promise<void> {
    await program.call("open", { directory, options });
  }

  async #step(master: Running, slave: Running, proxy: CuttableProxy, isSync: boolean): Promise<void> {
    await this.#put(master, this.#scenario.puts(1 + this.#random(PUTS_MOST)), isSync);
    const what = this.#random(6);
    if (what === 0) await this.#follow(slave);
    else if (what === 1) await sleep(this.#random(IDLE_MOST_MS));
    else if (what === 2) {
      this.story.push(`${proxy.connections} connections are cut`);
      proxy.cut();
    } else if (what === 3) await this.#killAndOpen("slave", slave);
    else if (what === 4) await this.#killAndOpen("master", master);
  }

  async #killAndOpen(side: Side, running: Running): Promise<void> {
    this.story.push(`the ${side} is killed`);
    await running.program.kill();
    if (running.engine.name === "rocketmq") {
      for (const file of removeHalfMadeFiles(running.directory, running.options))
        this.story.push(`a file that was just being made is removed: ${file}`);
    }
    running.program = running.engine.start();
    running.wasKilled = true;
    await this.#open(running);
  }

  async #put({ engine, program, directory }: Running, puts: readonly Put[], isSync: boolean): Promise<void> {
    const answers = await program.call("put", { directory, puts });
    let missed = 0;
    for (const [index, put] of puts.entries()) {
      const forecast = this.#model.forecast(put, engine.traits(this.#scenario.options.enabledAppendPropCRC));
      const { storeTimestamp, ...answer } = answers[index] as PutAnswer;
      const isMissed = isSync && forecast.answer.status === "PUT_OK" && NOT_REPLICATED.has(answer.status);
      if (isMissed) missed++;
      const found = isMissed ? { ...answer, status: "PUT_OK" } : answer;
      if (!isDeepStrictEqual(found, forecast.answer)) {
        const texts = [forecast.answer, answer].map((one) => JSON.stringify(one));
        throw new Error(`put ${index} of ${engine.name}\n  expected ${texts[0]}\n  found    ${texts[1]}`);
      }
      this.#model.add(forecast, storeTimestamp ?? 0);
    }
    this.story.push(`${puts.length} puts, ${missed} of them not replicated in time; the log ends at ${this.#model.maxOffset}`);
  }

  /** Until the slave has all of the master's log. */
  async #follow({ program, directory }: Running): Promise<void> {
    const { maxOffset } = this.#model;
    let seen = -1;
    const isThere = async (): Promise<boolean> => {
      seen = (await program.call("position", { directory })).maxOffset;
      return seen === maxOffset;
    };
    try {
      await until(isThere);
    } catch (cause) {
      throw new Error(`the slave does not follow: expected=${maxOffset} seen=${seen}`, { cause });
    }
    this.story.push(`the slave has followed to ${maxOffset}`);
  }

  async #compare(master: Running, slave: Running): Promise<void> {
    await this.#check(slave);
    for (const { program, directory } of [master, slave]) await program.call("close", { directory });
    const [ours, theirs] = [master, slave].map(({ directory }) => log(directory)) as [Map<string, Buffer>, Map<string, Buffer>];
    for (const [name, bytes] of theirs) {
      const source = ours.get(name);
      if (source === undefined) throw new Error(`the slave has a segment that the master has not: ${name}`);
      const at = bytes.findIndex((byte, index) => byte !== source[index]);
      if (at >= 0) throw new Error(`the logs differ: segment=${name} at=${at}`);
    }
    this.story.push("the logs are the same");
  }

  async #check({ engine, program, directory, options, wasKilled }: Running): Promise<void> {
    await program.call("settle", { directory });
    const probe = this.#model.probe(TIMES);
    const found = (await program.call("dump", { directory, probe })) as DumpLine[];
    const isRocketMq = engine.name === "rocketmq";
    const leniency: Leniency = {
      times: isRocketMq && this.#series === "4.9",
      missingKeys: isRocketMq && wasKilled,
      collidingKeys: isRocketMq,
    };
    const dump = this.#model.dump(probe);
    const expected = options.brokerRole === "SLAVE" ? dump.map(answeredBySlave) : dump;
    const texts = differences(expected, found, leniency);
    if (texts.length > 0) throw new Error(`${engine.name} answers otherwise than expected\n${texts.join("\n")}`);
  }

  /** The slave's directory, closed, is a master's. */
  async #promote(slave: Running): Promise<void> {
    const { haMasterAddress, ...options } = slave.options;
    const promoted: Running = { ...slave, options: { ...options, brokerRole: "ASYNC_MASTER", inSyncReplicas: 1 } };
    this.story.push("the slave opens as master");
    await this.#open(promoted);
    await this.#put(promoted, this.#scenario.puts(5), false);
    await this.#check(promoted);
    await promoted.program.call("close", { directory: promoted.directory });
  }
}

function answeredBySlave(line: DumpLine): DumpLine {
  return line.kind === "get" && NOT_CORRECTED.has(String(line.status)) ? { ...line, nextBeginOffset: line.offset } : line;
}

function log(directory: string): Map<string, Buffer> {
  const path = storePaths(directory).commitLog;
  if (!existsSync(path)) return new Map();
  return new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name))]));
}
