import { join } from "node:path";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { PATIENCE } from "../support/patience.js";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB } from "../support/temporary-store.js";
import { until } from "../support/until.js";
import { DELAY_LEVELS, PRODUCERS, producerQueue } from "./crash-job.js";
import { type CrashMoment, liveUntil } from "./crash-life.js";

const ROUNDS = Number(process.env.MILLRACE_CRASH_ROUNDS ?? 4);
/** Then the next rounds get a new directory, and a new reader. */
const ROUNDS_PER_DIRECTORY = 10;
const LOAD_MS = 150;

type Reader = Awaited<ReturnType<typeof MessageStore.openReadOnly>>;

/** What a reader has shown of one queue: queue offset → body. */
type Shown = Map<number, string>;

function killMoment(random: Random): CrashMoment {
  const kind = random(10);
  if (kind < 2) return { mark: "opening", delayMs: random(250) };
  if (kind < 8) return { mark: "acknowledged", delayMs: random(LOAD_MS) };
  return { mark: "closing", delayMs: random(50) };
}

/** Notes all that consumers of the reader are given; faults: what was shown twice and differs. */
function consumeAll(reader: Reader, shown: readonly Shown[], faults: string[]): Promise<void>[] {
  return shown.map(async (bodies, producer) => {
    for await (const batch of reader.consume({ ...producerQueue(producer), from: "earliest" })) {
      for (const { queueOffset, body } of batch) {
        const text = body.toString();
        const before = bodies.get(queueOffset);
        if (before !== undefined)
          faults.push(`shown twice: producer=${producer} queueOffset=${queueOffset} same=${before === text}`);
        bodies.set(queueOffset, text);
      }
    }
  });
}

/** Held against the store as its owner opens it: what was shown is there and the same, and what is there was shown. */
async function check(t: ExecutionContext, options: MessageStoreOptions, reader: Reader, shown: readonly Shown[]): Promise<number> {
  const store = await MessageStore.open(options);
  let messages = 0;
  const faults: string[] = [];
  for (const [producer, bodies] of shown.entries()) {
    const { topic, queueId } = producerQueue(producer);
    const [min, max] = [store.getMinOffsetInQueue(topic, queueId), store.getMaxOffsetInQueue(topic, queueId)];
    await until(() => (max === 0 && bodies.size === 0) || bodies.has(max - 1));
    for (const queueOffset of bodies.keys())
      if (queueOffset >= max) faults.push(`lost: producer=${producer} queueOffset=${queueOffset}`);
    for (let queueOffset = min; queueOffset < max; queueOffset++) {
      using found = store.getMessage({ topic, queueId, queueOffset, maxMessages: 1 });
      const body = found.messages[0]?.body.toString();
      if (bodies.get(queueOffset) !== body) faults.push(`differs: producer=${producer} queueOffset=${queueOffset}`);
    }
    messages += bodies.size;
  }
  await reader.close();
  await store.close();
  t.deepEqual(faults.slice(0, 20), []);
  return messages;
}

const modes: Record<string, MessageStoreOptions> = {
  SYNC_FLUSH: { flushDiskType: "SYNC_FLUSH" },
  ASYNC_FLUSH: { flushIntervalCommitLog: 20 },
};

for (const [name, mode] of Object.entries(modes)) {
  test.serial(`beside a writer that is killed at any moment a reader shows nothing that is lost or differs: ${name}`, async (t) => {
    t.timeout(60_000 + ROUNDS * 20_000);
    const seed = chosenSeed();
    const random = seededRandom(seed);
    t.log(`seed=${seed}`);
    let [killed, messages] = [0, 0];
    for (let round = 0; round < ROUNDS; ) {
      const root = temporaryDirectory(t);
      const options: MessageStoreOptions = {
        ...PATIENCE,
        storePathRootDir: join(root, "store"),
        mappedFileSizeCommitLog: 256 * KIB,
        mappedFileSizeConsumeQueue: random(2) === 0 ? 2000 : 200_000,
        maxHashSlotNum: 100,
        maxIndexNum: 400,
        messageDelayLevel: DELAY_LEVELS,
        ...mode,
      };
      const shown = Array.from({ length: PRODUCERS }, (): Shown => new Map());
      const faults: string[] = [];
      let reader: Reader | undefined;
      let consumers: Promise<void>[] = [];
      const lastRound = Math.min(ROUNDS, round + ROUNDS_PER_DIRECTORY);
      for (let isFirst = true; round < lastRound; round++, isFirst = false) {
        const moment = isFirst ? ({ mark: "acknowledged", delayMs: LOAD_MS } as const) : killMoment(random);
        const ledger = join(root, `ledger-${round}`);
        const job = { options, round, seed: random(2 ** 31), loadMs: LOAD_MS, isCleaning: false, ledger };
        if ((await liveUntil(moment, job)) === "killed") killed++;
        if (reader !== undefined) continue;
        reader = await MessageStore.openReadOnly(join(root, "store"));
        consumers = consumeAll(reader, shown, faults);
      }
      messages += await check(t, options, reader as Reader, shown);
      await Promise.all(consumers);
      t.deepEqual(faults.slice(0, 20), []);
    }
    t.log(`rounds=${ROUNDS} killed=${killed} shown=${messages}`);
    t.true(killed > 0 && messages > 0);
  });
}
