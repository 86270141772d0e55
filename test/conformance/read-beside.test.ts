import { createHash } from "node:crypto";
import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { storePaths } from "@millrace/format";
import { MessageStore, type ReadOnlyMessageStore } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { ROCKETMQ_SERIES } from "#scripts/bench/java/java-toolchain.js";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";
import { type Engine, rocketMq } from "./engine.js";
import { removeHalfMadeFiles } from "./half-made-files.js";
import { PLAIN_MESSAGE } from "./plain-message.js";
import type { DumpLine, ProgramOptions, Put } from "./protocol.js";
import { rocketMqTests } from "./rocketmq-tests.js";
import { ProgramEnded, type StoreProgram } from "./store-program.js";

const OPTIONS: ProgramOptions = {
  mappedFileSizeCommitLog: 16 * 1024,
  mappedFileSizeConsumeQueue: 400,
  maxHashSlotNum: 100,
  maxIndexNum: 400,
  maxMessageSize: 4096,
  flushDiskType: "ASYNC_FLUSH",
  messageDelayLevel: "5s 1d",
  enabledAppendPropCRC: false,
  fileReservedTime: 72,
  writeWithoutMmap: false,
};
const QUEUES = [0, 1] as const;
const ROUND_PUTS = 80;
const EXPIRED_SEGMENTS = 2;
const LONG_AGO_S = 1_600_000_000;
/** How each life of the writer ends; the last one is asked what it holds. */
const ENDINGS = ["killed", "closed", "killed", "closed", "asked"] as const;

/** queue offset → SHA-256 of the body. */
type Bodies = Map<number, string>;

/** All of one test: what was put, what RocketMQ has acknowledged, and what a reader beside it has shown. */
class Beside {
  readonly directory: string;
  readonly faults: string[] = [];
  readonly shown: readonly Bodies[] = QUEUES.map(() => new Map());
  readonly acknowledged: readonly Bodies[] = QUEUES.map(() => new Map());
  readonly #engine: Engine;
  readonly #random: Random;
  /** Hashes of all bodies that were ever put. */
  readonly #put = new Set<string>();
  readonly #consumers: Promise<void>[] = [];
  #count = 0;

  constructor(engine: Engine, directory: string, random: Random) {
    this.#engine = engine;
    this.directory = directory;
    this.#random = random;
  }

  /** One life of the writer after another. Returns what the last one holds. */
  async live(open: () => Promise<ReadOnlyMessageStore>): Promise<DumpLine[]> {
    const { directory } = this;
    let reader: ReadOnlyMessageStore | undefined;
    for (const ending of ENDINGS) {
      removeHalfMadeFiles(directory, OPTIONS);
      const program = this.#engine.start();
      try {
        await program.call("open", { directory, options: OPTIONS });
        await this.#putSome(program);
        if (reader === undefined) {
          reader = await open(); // not before: RocketMQ makes its first segment with the first put
          this.#consume(reader);
        }
        await program.call("settle", { directory }); // a segment that its dispatcher holds is not deleted
        expire(directory);
        await program.call("deleteExpired", { directory });
        const putting = this.#putSome(program);
        if (ending === "killed") await setTimeout(this.#random(40));
        else await putting;
        if (ending === "closed") await program.call("close", { directory });
        if (ending === "asked") return await this.#ask(program);
      } finally {
        await program.kill();
      }
    }
    throw new Error("the last life is asked");
  }

  async #ask(program: StoreProgram): Promise<DumpLine[]> {
    const { directory } = this;
    await program.call("settle", { directory });
    const queues = QUEUES.map((queueId) => ["TopicA", queueId] as const);
    const lines = await program.call("dump", { directory, probe: { queues, keys: [], times: [], offsets: [] } });
    await until(() => QUEUES.every((queueId) => this.shown[queueId]?.has(endOf(lines, queueId) - 1)));
    await program.call("close", { directory });
    return lines;
  }

  async ended(reader: ReadOnlyMessageStore): Promise<void> {
    await reader.close();
    await Promise.all(this.#consumers);
  }

  #consume(reader: ReadOnlyMessageStore): void {
    for (const queueId of QUEUES) this.#consumers.push(this.#consumeQueue(reader, queueId));
  }

  async #consumeQueue(reader: ReadOnlyMessageStore, queueId: number): Promise<void> {
    const shown = this.shown[queueId] as Bodies;
    for await (const batch of reader.consume({ topic: "TopicA", queueId, from: "earliest" })) {
      for (const { queueOffset, body } of batch) {
        const hash = hashOf(body);
        if (shown.has(queueOffset)) this.faults.push(`shown twice: queueId=${queueId} queueOffset=${queueOffset}`);
        if (!this.#put.has(hash)) this.faults.push(`never put: queueId=${queueId} queueOffset=${queueOffset}`);
        shown.set(queueOffset, hash);
      }
    }
  }

  /** Resolves when they are answered, or the program was killed. */
  async #putSome(program: StoreProgram): Promise<void> {
    const puts = Array.from({ length: ROUND_PUTS }, () => plainPut(this.#count++));
    const hashes = puts.map(({ messages: [message] }) => hashOf(Buffer.from(message?.body ?? "", "base64")));
    for (const hash of hashes) this.#put.add(hash);
    for (const [index, put] of puts.entries()) {
      try {
        const [answer] = await program.call("put", { directory: this.directory, puts: [put] });
        const queueId = put.messages[0]?.queueId ?? 0;
        if (answer?.status !== "PUT_OK") throw new Error(`not put: ${JSON.stringify(answer)}`);
        this.acknowledged[queueId]?.set(answer.queueOffset ?? -1, hashes[index] as string);
      } catch (error) {
        if (error instanceof ProgramEnded) return;
        throw error;
      }
    }
  }
}

function plainPut(number: number): Put {
  const body = Buffer.alloc(600, `${number};`).toString("base64");
  return { messages: [{ ...PLAIN_MESSAGE, queueId: number % QUEUES.length, body }], isBatch: false };
}

function hashOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

function endOf(lines: readonly DumpLine[], queueId: number): number {
  return lines.find((line) => line.kind === "queue" && line.queueId === queueId)?.maxOffset as number;
}

/** The first segments have not changed for long. */
function expire(directory: string): void {
  const { commitLog } = storePaths(directory);
  const names = readdirSync(commitLog).sort().slice(0, EXPIRED_SEGMENTS);
  for (const name of names) utimesSync(join(commitLog, name), LONG_AGO_S, LONG_AGO_S);
}

/** What was shown against what RocketMQ holds at the end, and has acknowledged. */
function check(t: ExecutionContext, { shown, acknowledged, faults }: Beside, lines: readonly DumpLine[]): void {
  for (const queueId of QUEUES) {
    const [bodies, acks] = [shown[queueId] as Bodies, acknowledged[queueId] as Bodies];
    const end = endOf(lines, queueId);
    for (const [queueOffset, hash] of bodies) {
      if (queueOffset >= end) faults.push(`lost: queueId=${queueId} queueOffset=${queueOffset}`);
      const acknowledgedHash = acks.get(queueOffset);
      if (acknowledgedHash !== undefined && acknowledgedHash !== hash)
        faults.push(`not what was acknowledged: queueId=${queueId} queueOffset=${queueOffset}`);
    }
    for (const line of lines) {
      if (line.kind !== "message" || line.queueId !== queueId) continue;
      if (bodies.get(line.queueOffset as number) !== line.bodySha256)
        faults.push(`differs: queueId=${queueId} queueOffset=${line.queueOffset}`);
    }
  }
  t.deepEqual(faults.slice(0, 20), []);
}

rocketMqTests(
  "a reader beside RocketMQ",
  ROCKETMQ_SERIES.map((series) => ({ series })),
  ({ series }, toolchain) => {
    test(`a reader beside RocketMQ ${series}, which deletes, is closed and killed, shows what is put and nothing else`, async (t) => {
      t.timeout(240_000);
      const seed = chosenSeed();
      t.log(`seed=${seed}`);
      const directory = join(temporaryDirectory(t), "store");
      const beside = new Beside(rocketMq(toolchain, series), directory, seededRandom(seed));
      let reader: ReadOnlyMessageStore | undefined;
      t.teardown(() => reader?.close());
      const lines = await beside.live(async () => (reader = await MessageStore.openReadOnly(directory)));
      const minOffset = lines.find(({ kind }) => kind === "log")?.minOffset as number;
      await until(() => reader?.minPhysicalOffset === minOffset); // once a second it lists which files there are
      t.true(minOffset >= ENDINGS.length * EXPIRED_SEGMENTS * OPTIONS.mappedFileSizeCommitLog, `retention: minOffset=${minOffset}`);
      await beside.ended(reader as ReadOnlyMessageStore);
      check(t, beside, lines);
      t.log(`shown=${beside.shown.map(({ size }) => size)} acknowledged=${beside.acknowledged.map(({ size }) => size)}`);
      t.true(beside.shown.every(({ size }) => size > ROUND_PUTS));
    });
  },
);
