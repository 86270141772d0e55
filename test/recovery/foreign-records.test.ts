import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { MessageStore, PutMessageResult } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { QUEUE_OFFSET_LIMIT } from "#format/consume-queue-descriptor.js";
import { CommitLogBuilder } from "../support/commit-log-builder.js";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { memoryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const SIZE = 16 * 1024;
/** Room for a record beyond the segment, which no appender of RocketMQ's or ours would use. */
const SLACK = 1024;
const RANDOM_LOGS = 4;
/** One past the last queue offset whose unit can have a place in a file. */
const FIRST_IMPOSSIBLE = Math.ceil(Number.MAX_SAFE_INTEGER / 20);

interface ForeignLog {
  readonly builder: CommitLogBuilder;
  readonly root: string;
}

function foreignLog(t: ExecutionContext, propertyCrc = true): ForeignLog {
  return { builder: new CommitLogBuilder(SIZE + SLACK, propertyCrc), root: memoryDirectory(t) };
}

/** The log as some other writer left it: one segment, without an abort file. */
function leave({ builder, root }: ForeignLog): void {
  mkdirSync(join(root, "commitlog"));
  const image = builder.segments.get(0) ?? new Uint8Array(SIZE);
  writeFileSync(join(root, "commitlog", segmentFileName(0)), image.subarray(0, SIZE));
}

/** Adds a record that ends so many bytes before the end of the segment. */
function addUpTo(builder: CommitLogBuilder, bytesLeft: number): void {
  const probe = new CommitLogBuilder(SIZE + SLACK, builder.propertyCrc).add({ body: new Uint8Array(0) }).length;
  builder.add({ body: new Uint8Array(SIZE - bytesLeft - builder.offset - probe).fill(7) });
}

/** It takes a put, shows it, and has it after another opening. */
async function works(t: ExecutionContext, root: string, what: string): Promise<void> {
  const options = { storePathRootDir: root, mappedFileSizeCommitLog: SIZE };
  for (let life = 1; life <= 2; life++) {
    const store: MessageStore = await openStore(t, options);
    await until(() => store.dispatchBehindBytes === 0);
    for (let n = 0; n < 3; n++) {
      t.is((await store.putMessage(numbered(n, 4000, { topic: "Mine" }))).status, "PUT_OK", `${what} life=${life}`);
    }
    await until(() => store.getMaxOffsetInQueue("Mine", 0) === 3 * life);
    t.is(store.stats().dispatch.failures, 0, what);
    await store.close();
  }
}

for (const bytesLeft of [0, 1, 5, 7, 8]) {
  test(`a record that ends ${bytesLeft} bytes before the end of its segment is the last one there, and the log goes on`, async (t) => {
    const log = foreignLog(t);
    log.builder.add();
    addUpTo(log.builder, bytesLeft);
    leave(log);
    await works(t, log.root, "");
    const store = await openStore(t, { storePathRootDir: log.root, mappedFileSizeCommitLog: SIZE });
    t.is(store.getMaxOffsetInQueue("TopicA", 0), 2, "and none of its records is lost");
  });
}

test("a queue offset for which no ConsumeQueue has a place is a bad field, and stops nothing", async (t) => {
  for (const queueOffset of [FIRST_IMPOSSIBLE, Number.MAX_SAFE_INTEGER]) {
    const log = foreignLog(t, false);
    log.builder.add({ topic: "Good" });
    log.builder.add({ topic: "Bad", queueOffset });
    leave(log);
    await works(t, log.root, `queueOffset=${queueOffset}`);
  }
});

test("a queue whose last record has nearly the highest queue offset takes no puts, until its topic is deleted", async (t) => {
  for (const queueOffset of [QUEUE_OFFSET_LIMIT - 1, QUEUE_OFFSET_LIMIT - 2 ** 40]) {
    const log = foreignLog(t);
    log.builder.add({ topic: "Bad", queueOffset });
    leave(log);
    await works(t, log.root, `queueOffset=${queueOffset}`);
    const options = { storePathRootDir: log.root, mappedFileSizeCommitLog: SIZE };
    const store = await openStore(t, options);
    const put = (): Promise<PutMessageResult> => store.putMessage(numbered(1, 16, { topic: "Bad" }));
    await t.throwsAsync(put(), { code: "ERR_QUEUE_FULL", message: /topic=Bad queueId=0/ });
    await t.throwsAsync(store.putMessages([numbered(1, 16, { topic: "Bad" })]), { code: "ERR_QUEUE_FULL" });
    t.is((await store.putMessage(numbered(1, 16, { topic: "Bad", queueId: 1 }))).status, "PUT_OK");
    await until(() => store.dispatchBehindBytes === 0);
    await store.deleteTopic("Bad");
    t.is((await put()).appendResult?.queueOffset, 0);
    await store.close();
    const again = await openStore(t, options);
    t.is((await again.putMessage(numbered(2, 16, { topic: "Bad" }))).appendResult?.queueOffset, 1);
  }
});

const NAMES = ["TopicA", "TopicB", "%RETRY%group", "a|b", "T".repeat(127)];
const PROPERTIES = [
  "",
  "TAGS\x01TagA\x02",
  "KEYS\x01a  b\x02",
  "nonsense",
  "\x01\x02\x02\x01",
  "DELAY\x01-7\x02",
  "UNIQ_KEY\x01u",
  "INNER_NUM\x013\x02",
  "INNER_NUM\x01900719925474098\x02",
];
const SYS_FLAGS = [0, 0, 0, 1, 4, 8, 12, 0x40, 0x80, 0x700];

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)] as T;
}

function hostileOffset(random: Random): number {
  return random(2) === 0 ? 2 ** random(53) : Math.max(0, FIRST_IMPOSSIBLE - 2 + random(4));
}

/** Records with right lengths and checksums, and whatever else in them. */
function addRandom(builder: CommitLogBuilder, random: Random): void {
  builder.add({
    topic: pick(random, NAMES),
    queueId: random(4) === 0 ? 0x7fffffff - random(2) : random(3),
    body: new Uint8Array(random(5) === 0 ? 0 : random(300)).fill(random(256)),
    properties: pick(random, PROPERTIES),
    sysFlag: pick(random, SYS_FLAGS),
    ...(random(6) === 0 ? { queueOffset: hostileOffset(random) } : {}),
  });
}

test("whatever valid-looking records another writer leaves, the store opens, shows all it can, and takes puts", async (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  for (let n = 0; n < RANDOM_LOGS; n++) {
    const random = seededRandom(seed + n);
    const log = foreignLog(t, random(2) === 0);
    const { builder } = log;
    while (builder.offset < SIZE - 1200) addRandom(builder, random);
    if (random(2) === 0) addUpTo(builder, random(12));
    leave(log);
    await works(t, log.root, `seed=${seed + n}`);
  }
});
