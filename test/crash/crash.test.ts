import { join } from "node:path";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { PATIENCE } from "../support/patience.js";
import { chosenSeed, type Random, seededRandom } from "../support/random.js";
import { readLog } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB } from "../support/temporary-store.js";
import { until } from "../support/until.js";
import { ConsumedQueues } from "./consumed-queues.js";
import { CONSUMER_GROUP, DELAY_LEVELS, PRODUCERS, producerQueue } from "./crash-job.js";
import { CrashLedger } from "./crash-ledger.js";
import { type CrashMoment, liveUntil } from "./crash-life.js";
import { factsOfAll, openingFacts } from "./opening-facts.js";

const ROUNDS = Number(process.env.MILLRACE_CRASH_ROUNDS ?? 3);
/** Then the next rounds get a new directory: recovery reads all of it each time. */
const ROUNDS_PER_DIRECTORY = 10;
const LOAD_MS = 150;
/** Of a life that is to end by the kill, on however slow a machine. */
const UNTIL_KILLED_MS = 30_000;

/**
 * Opening, loading (with a roll every few milliseconds), closing. The first life of a directory always gets as far as an
 * acknowledgement.
 */
function crashMoment(random: Random, isFirst: boolean): CrashMoment {
  const kind = random(10);
  if (isFirst) return { mark: "acknowledged", delayMs: random(LOAD_MS) };
  if (kind < 3) return { mark: "opening", delayMs: random(250) };
  if (kind < 4) return { mark: "open", delayMs: random(10) };
  if (kind < 8) return { mark: "acknowledged", delayMs: random(LOAD_MS) };
  return { mark: "closing", delayMs: random(50) };
}

/** What a directory keeps for life. Small files roll often. */
function directoryOptions(random: Random): MessageStoreOptions {
  const isIndexSmall = random(2) === 0;
  return {
    mappedFileSizeCommitLog: 256 * KIB,
    messageDelayLevel: DELAY_LEVELS,
    mappedFileSizeConsumeQueue: random(2) === 0 ? 2000 : 200_000,
    maxHashSlotNum: isIndexSmall ? 100 : 5000,
    maxIndexNum: isIndexSmall ? 400 : 20_000,
    flushDelayOffsetInterval: random(2) === 0 ? 20 : 10_000,
    flushIntervalConsumeQueue: 10,
    flushConsumeQueueThoroughInterval: random(2) === 0 ? 20 : 60_000,
  };
}

const EXPIRING: MessageStoreOptions = { fileReservedTime: 0, deleteCommitLogFilesInterval: 0, deleteConsumeQueueFilesInterval: 0 };

interface CrashedDirectory {
  readonly options: MessageStoreOptions & { readonly storePathRootDir: string };
  readonly ledger: CrashLedger;
  /** Killed, it loses what it has acknowledged. */
  readonly mayForget: boolean;
  readonly isExpiring: boolean;
}

/** Opens as an owner would, and judges what can be consumed, and what is on disk; and whether an opening that reads all finds the same. */
async function check(t: ExecutionContext, directory: CrashedDirectory, awaitsDelayed: boolean): Promise<void> {
  const { options, ledger, mayForget, isExpiring } = directory;
  ledger.delayed.begin(options.storePathRootDir);
  const all = await factsOfAll(options);
  const store = await MessageStore.open(options);
  t.deepEqual(openingFacts(store), all);
  const { maxOffset, messages: recovered } = store.recovery;
  ledger.delayed.opened(maxOffset);
  const queues = Array.from({ length: PRODUCERS }, (_, producer) => producerQueue(producer));
  const ends = queues.map(({ topic, queueId }) => store.getMaxOffsetInQueue(topic, queueId));
  const found = queues.map(({ topic, queueId }) => store.consumerOffsets.get(CONSUMER_GROUP, topic, queueId) ?? -1);
  if (awaitsDelayed) await until(() => areDelivered(store));
  const consumed = new ConsumedQueues(store);
  const flaws = await store.checkSelf();
  await store.close();
  ledger.delayed.closed();
  const { messages, ending, zerosBehind } = readLog(store.config.storePathRootDir);
  const old = messages.filter(({ physicalOffset }) => physicalOffset < maxOffset);
  t.is(recovered, old.length);
  t.true(ending === "EMPTY" || ending === "NO_SEGMENT" || ending === "BLANK", ending);
  t.true(zerosBehind);
  t.deepEqual(flaws, []);
  t.deepEqual(ledger.consumer.found(found, ends), []);
  t.deepEqual(firstFew(ledger.faults(messages, ends, mayForget, isExpiring)), []);
  t.deepEqual(firstFew(ledger.delayed.faults(messages, mayForget || isExpiring, awaitsDelayed)), []);
  t.deepEqual(firstFew(consumed.faults(messages, maxOffset)), []);
}

function firstFew(faults: readonly string[]): string[] {
  return faults.slice(0, 20);
}

function areDelivered(store: MessageStore): boolean {
  return store.stats().schedule.levels.every(({ delayOffset, maxOffset }) => delayOffset === maxOffset);
}

async function killRepeatedly(t: ExecutionContext, mode: MessageStoreOptions): Promise<void> {
  const seed = chosenSeed();
  const random = seededRandom(seed);
  t.log(`seed=${seed}`);
  let [killed, acknowledged] = [0, 0];
  for (let round = 0; round < ROUNDS; ) {
    const root = temporaryDirectory(t);
    const isExpiring = random(3) === 0;
    const options = {
      storePathRootDir: join(root, "store"),
      ...PATIENCE,
      ...directoryOptions(random),
      ...(isExpiring ? EXPIRING : {}),
      ...mode,
    };
    const ledger = new CrashLedger();
    const directory = { options, ledger, mayForget: mode.transientStorePoolEnable === true, isExpiring };
    const firstRound = round;
    const lastRound = Math.min(ROUNDS, round + ROUNDS_PER_DIRECTORY);
    for (; round < lastRound; round++) {
      const path = join(root, `ledger-${round}`);
      const isFirst = round === firstRound;
      const moment = crashMoment(random, isFirst);
      const isCleaning = isExpiring && random(3) > 0;
      const loadMs = isFirst ? UNTIL_KILLED_MS : LOAD_MS;
      ledger.delayed.begin(options.storePathRootDir);
      const outcome = await liveUntil(moment, { options, round, seed: random(2 ** 31), loadMs, isCleaning, ledger: path });
      if (outcome === "killed") killed++;
      ledger.add(round, path);
      if (outcome === "closed") ledger.delayed.closed();
      // Else the next life finds what this one left, and may be killed while it recovers from it.
      const isLast = round === lastRound - 1;
      if (random(2) === 0 || isLast) await check(t, directory, isLast);
    }
    acknowledged += ledger.messagesAcknowledged;
  }
  t.log(`rounds=${ROUNDS} killed=${killed} acknowledged=${acknowledged}`);
  t.true(killed > 0 && acknowledged > 0);
}

const modes: Record<string, MessageStoreOptions> = {
  "SYNC_FLUSH, mapped": { flushDiskType: "SYNC_FLUSH" },
  "SYNC_FLUSH, writeWithoutMmap": { flushDiskType: "SYNC_FLUSH", writeWithoutMmap: true },
  "ASYNC_FLUSH, mapped": { flushIntervalCommitLog: 20 },
  "ASYNC_FLUSH, writeWithoutMmap": { writeWithoutMmap: true, flushIntervalCommitLog: 20 },
};

for (const [name, mode] of Object.entries(modes)) {
  test.serial(
    `killed at any moment, nothing acknowledged is lost, all of it can be consumed, and nothing else appears: ${name}`,
    async (t) => {
      t.timeout(60_000 + ROUNDS * 20_000);
      await killRepeatedly(t, mode);
    },
  );
}

test.serial("killed at any moment, the transient store pool loses no more than the end of the log", async (t) => {
  t.timeout(60_000 + ROUNDS * 20_000);
  await killRepeatedly(t, {
    transientStorePoolEnable: true,
    transientStorePoolSize: 8,
    commitIntervalCommitLog: 10,
    flushIntervalCommitLog: 20,
  });
});
