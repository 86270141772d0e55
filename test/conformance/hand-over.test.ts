import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName, storePaths } from "@millrace/format";
import { MessageStore } from "@millrace/store";
import test from "ava";
import { ROCKETMQ_SERIES, type RocketMqSeries } from "#scripts/bench/java/java-toolchain.js";
import { contents } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";
import { differences } from "./dump-comparison.js";
import { MILLRACE, rocketMq } from "./engine.js";
import { PLAIN_MESSAGE } from "./plain-message.js";
import type { Probe, ProgramMessage, ProgramOptions, Put } from "./protocol.js";
import { conformanceToolchain } from "./rocketmq-preparation.js";
import { rocketMqTests } from "./rocketmq-tests.js";
import type { StoreProgram } from "./store-program.js";

const OPTIONS: ProgramOptions = {
  mappedFileSizeCommitLog: 16 * 1024,
  mappedFileSizeConsumeQueue: 400,
  maxHashSlotNum: 100,
  maxIndexNum: 400,
  maxMessageSize: 4096,
  flushDiskType: "SYNC_FLUSH",
  messageDelayLevel: "5s 1d",
  enabledAppendPropCRC: false,
  fileReservedTime: 72,
  writeWithoutMmap: false,
};
const LONG_AGO_S = 1_600_000_000;
const MARKS = ["millrace.watermark", "millrace.dispatched"];

const STRICT = { times: false, missingKeys: false, collidingKeys: false };
const cases = ROCKETMQ_SERIES.flatMap((series) => [
  { series, isMillraceFirst: true },
  { series, isMillraceFirst: false },
]);

function put(number: number, changes: Partial<ProgramMessage> = {}): Put {
  const message: ProgramMessage = {
    ...PLAIN_MESSAGE,
    queueId: number % 2,
    body: Buffer.alloc(600, `${number};`).toString("base64"),
    properties: [
      ["TAGS", "TagA"],
      ["KEYS", `key-${number}`],
    ],
    ...changes,
  };
  return { messages: [message], isBatch: false };
}

function puts(from: number, to: number): Put[] {
  return Array.from({ length: to - from }, (_, index) => put(from + index));
}

function probe(messages: number): Probe {
  return {
    queues: [
      ["TopicA", 0],
      ["TopicA", 1],
    ],
    keys: Array.from({ length: messages }, (_, index) => ["TopicA", `key-${index}`]),
    times: [],
    offsets: [],
  };
}

/** One process of each, for all tests: each test has a directory of its own. */
const programs = new Map<string, StoreProgram>();
test.after.always(() => Promise.all([...programs.values()].map((program) => program.kill())));

function running(engine: "millrace" | RocketMqSeries): StoreProgram {
  const program = programs.get(engine) ?? (engine === "millrace" ? MILLRACE : rocketMq(conformanceToolchain, engine)).start();
  programs.set(engine, program);
  return program;
}

/** The two, the one that comes first first. */
function inTurn(series: RocketMqSeries, isMillraceFirst: boolean): [StoreProgram, StoreProgram] {
  const pair: [StoreProgram, StoreProgram] = [running("millrace"), running(series)];
  return isMillraceFirst ? pair : [pair[1], pair[0]];
}

/** RocketMQ's program asks for the lock first; RocketMQ itself, a broker too, recovers before it asks, and with that deletes files. */
rocketMqTests("locks of RocketMQ and Millrace", cases, ({ series, isMillraceFirst }) => {
  const name = isMillraceFirst
    ? `RocketMQ ${series} finds the lock taken that Millrace holds`
    : `RocketMQ ${series} keeps Millrace out of a directory that it has open, and nothing is changed`;
  test.serial(name, async (t) => {
    t.timeout(120_000);
    const directory = join(temporaryDirectory(t), "store");
    const [holder, other] = inTurn(series, isMillraceFirst);
    await holder.call("open", { directory, options: OPTIONS });
    await holder.call("put", { directory, puts: puts(0, 30) });
    await holder.call("settle", { directory });
    const { commitLog, consumeQueue, index } = storePaths(directory);
    const found = (): [string, string][] => [commitLog, consumeQueue, index].flatMap((path) => [...contents(path)]);
    const before = new Map(found());
    const refusal = await t.throwsAsync(other.call("open", { directory, options: OPTIONS }));
    t.regex(refusal?.message ?? "", /the store is open elsewhere|Lock failed, MQ already started/);
    // What the holder makes ready meanwhile is nothing but zeros.
    const after = found().filter(([path, base64]) => before.has(path) || !/^A*=*$/.test(base64));
    t.deepEqual(new Map(after), before);
    await holder.call("put", { directory, puts: puts(30, 40) });
    await holder.call("close", { directory });
    const { recovered } = await other.call("open", { directory, options: OPTIONS });
    t.true(recovered > 0);
    await other.call("close", { directory });
  });
});

rocketMqTests("retention by RocketMQ and Millrace", cases, ({ series, isMillraceFirst }) => {
  const [first, second] = isMillraceFirst ? ["Millrace", `RocketMQ ${series}`] : [`RocketMQ ${series}`, "Millrace"];
  test.serial(`what ${first} has deleted as expired is understood by ${second}, which deletes more of it`, async (t) => {
    t.timeout(120_000);
    const directory = join(temporaryDirectory(t), "store");
    const [one, two] = inTurn(series, isMillraceFirst);
    let messages = 0;
    let minOffset = 0;
    for (const [program, next] of [
      [one, two],
      [two, one],
      [one, two],
    ] as const) {
      await program.call("open", { directory, options: OPTIONS });
      await program.call("put", { directory, puts: puts(messages, messages + 120) });
      messages += 120;
      await program.call("settle", { directory });
      expire(directory, 3);
      await program.call("deleteExpired", { directory });
      const dump = await program.call("dump", { directory, probe: probe(messages) });
      const [log] = dump as [{ kind: string; minOffset: number }];
      t.is(log.minOffset, minOffset + 3 * OPTIONS.mappedFileSizeCommitLog);
      minOffset = log.minOffset;
      await program.call("close", { directory });
      await next.call("open", { directory, options: OPTIONS });
      await next.call("settle", { directory });
      t.deepEqual(differences(dump, await next.call("dump", { directory, probe: probe(messages) }), STRICT), []);
      await next.call("close", { directory });
    }
  });
});

/** The first segments have not changed for long. */
function expire(directory: string, segments: number): void {
  const { commitLog } = storePaths(directory);
  const names = readdirSync(commitLog).sort().slice(0, segments);
  for (const name of names) utimesSync(join(commitLog, name), LONG_AGO_S, LONG_AGO_S);
}

const everySeries = ROCKETMQ_SERIES.map((series) => ({ series }));

rocketMqTests("Millrace's own files and RocketMQ", everySeries, ({ series }) => {
  test.serial(`RocketMQ ${series} leaves Millrace's own files as they are`, async (t) => {
    t.timeout(120_000);
    const directory = join(temporaryDirectory(t), "store");
    const [millrace, rocket] = inTurn(series, true);
    await millrace.call("open", { directory, options: OPTIONS });
    await millrace.call("put", { directory, puts: puts(0, 50) });
    await millrace.call("close", { directory });
    const marks = MARKS.map((name) => readFileSync(join(directory, name)));
    await rocket.call("open", { directory, options: OPTIONS });
    await rocket.call("put", { directory, puts: puts(50, 100) });
    await rocket.call("close", { directory });
    t.deepEqual(
      MARKS.map((name) => readFileSync(join(directory, name))),
      marks,
    );
    t.false(existsSync(join(directory, "abort")));
  });
});

rocketMqTests("snapshots and RocketMQ", everySeries, ({ series }) => {
  test.serial(`RocketMQ ${series} opens a snapshot, finds every message in it, and puts more`, async (t) => {
    t.timeout(120_000);
    const [root, directory] = [join(temporaryDirectory(t), "store"), join(temporaryDirectory(t), "snapshot")];
    const [millrace, rocket] = inTurn(series, true);
    await millrace.call("open", { directory: root, options: OPTIONS });
    await millrace.call("put", { directory: root, puts: puts(0, 100) });
    await millrace.call("settle", { directory: root });
    const source = await millrace.call("dump", { directory: root, probe: probe(100) });
    await millrace.call("close", { directory: root });
    const store = await MessageStore.open({ ...OPTIONS, storePathRootDir: root });
    await store.snapshot(directory);
    await store.putMessage({ topic: "TopicA", queueId: 0, body: Buffer.from("after the snapshot") });
    await store.close();
    const first = (of: string): string => join(storePaths(of).commitLog, segmentFileName(0));
    t.is(statSync(first(directory)).ino, statSync(first(root)).ino, "closed segments are shared");
    const shared = readFileSync(first(root));
    await rocket.call("open", { directory, options: OPTIONS });
    await rocket.call("settle", { directory });
    t.deepEqual(differences(source, await rocket.call("dump", { directory, probe: probe(100) }), STRICT), []);
    await rocket.call("put", { directory, puts: puts(100, 130) });
    await rocket.call("settle", { directory });
    const longer = await rocket.call("dump", { directory, probe: probe(130) });
    await rocket.call("close", { directory });
    t.deepEqual(readFileSync(first(root)), shared, "RocketMQ changes no byte of them");
    await millrace.call("open", { directory, options: OPTIONS });
    t.deepEqual(differences(longer, await millrace.call("dump", { directory, probe: probe(130) }), STRICT), []);
    await millrace.call("close", { directory });
  });
});

/** RocketMQ 5's broker delivers, its store does not. */
const delivering = cases.filter(({ series }) => series === "4.9");

rocketMqTests("delayed messages of RocketMQ and Millrace", delivering, ({ series, isMillraceFirst }) => {
  const [first, second] = isMillraceFirst ? ["Millrace", `RocketMQ ${series}`] : [`RocketMQ ${series}`, "Millrace"];
  test.serial(`what is delayed by ${first} is delivered by ${second}, once, and ${first} knows`, async (t) => {
    t.timeout(120_000);
    const directory = join(temporaryDirectory(t), "store");
    const [one, two] = inTurn(series, isMillraceFirst);
    const soon: ProgramMessage["properties"] = [["DELAY", "1"]];
    const late: ProgramMessage["properties"] = [["DELAY", "2"]];
    await one.call("open", { directory, options: OPTIONS });
    await one.call("put", {
      directory,
      puts: [put(0, { properties: soon }), put(2, { properties: late }), put(4, { properties: soon })],
    });
    await one.call("settle", { directory });
    const [queue] = (await one.call("dump", { directory, probe: { ...probe(0), queues: [["TopicA", 0]] } })).slice(1);
    t.is(queue?.maxOffset, 0, "nothing is due yet");
    await one.call("close", { directory });
    await two.call("open", { directory, options: OPTIONS });
    await delivered(two, directory, 2);
    await two.call("close", { directory });
    await one.call("open", { directory, options: OPTIONS });
    await one.call("put", { directory, puts: [put(6, { properties: soon })] });
    await delivered(one, directory, 3);
    const lines = await one.call("dump", { directory, probe: probe(0) });
    const bodies = lines.filter(({ kind }) => kind === "message").map(({ bodySha256 }) => bodySha256);
    t.is(bodies.length, 3);
    t.is(new Set(bodies).size, 3);
    await one.call("close", { directory });
  });
});

async function delivered(program: StoreProgram, directory: string, count: number): Promise<void> {
  await until(async () => {
    const lines = await program.call("dump", { directory, probe: { ...probe(0), queues: [["TopicA", 0]] } });
    const queue = lines.find(({ kind }) => kind === "queue");
    return queue !== undefined && (queue.maxOffset as number) >= count;
  });
}
