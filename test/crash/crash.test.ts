import { join } from "node:path";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { chosenSeed, type Random, seededRandom } from "../random.js";
import { readLog } from "../store/stored-log.js";
import { KIB } from "../store/temporary-store.js";
import { temporaryDirectory } from "../temporary-directory.js";
import { CrashLedger } from "./crash-ledger.js";
import { type CrashMoment, liveUntil } from "./crash-life.js";

const ROUNDS = Number(process.env.MILLRACE_CRASH_ROUNDS ?? 5);
/** Then the next rounds get a new directory: recovery reads all of it each time. */
const ROUNDS_PER_DIRECTORY = 10;
const LOAD_MS = 150;

/** Opening, loading (with a roll every few milliseconds), closing. */
function crashMoment(random: Random): CrashMoment {
  const kind = random(10);
  if (kind < 3) return { mark: "opening", delayMs: random(150) };
  if (kind < 8) return { mark: "open", delayMs: random(LOAD_MS) };
  return { mark: "closing", delayMs: random(30) };
}

/** Opens as an owner would, and judges what is on disk then. */
async function checkLog(t: ExecutionContext, options: MessageStoreOptions, ledger: CrashLedger, mayForget: boolean): Promise<void> {
  const store = await MessageStore.open(options);
  const { messages, end, ending, zerosBehind } = readLog(store.config.storePathRootDir);
  t.is(store.recovery.maxOffset, end);
  t.is(store.recovery.messages, messages.length);
  t.true(ending === "EMPTY" || ending === "NO_SEGMENT" || ending === "BLANK", ending);
  t.true(zerosBehind);
  await store.close();
  t.deepEqual(ledger.faults(messages, mayForget), []);
}

async function killRepeatedly(t: ExecutionContext, mode: MessageStoreOptions): Promise<void> {
  const seed = chosenSeed();
  const random = seededRandom(seed);
  const mayForget = mode.transientStorePoolEnable === true;
  let [killed, acknowledged] = [0, 0];
  for (let round = 0; round < ROUNDS; ) {
    const root = temporaryDirectory(t);
    const options = { storePathRootDir: join(root, "store"), mappedFileSizeCommitLog: 256 * KIB, ...mode };
    const ledger = new CrashLedger();
    const lastRound = Math.min(ROUNDS, round + ROUNDS_PER_DIRECTORY);
    for (; round < lastRound; round++) {
      const path = join(root, `ledger-${round}`);
      const moment = crashMoment(random);
      const outcome = await liveUntil(moment, { options, round, seed: random(2 ** 31), loadMs: LOAD_MS, ledger: path });
      if (outcome === "killed") killed++;
      ledger.add(round, path);
      // Else the next life finds what this one left, and may be killed while it recovers from it.
      if (random(2) === 0 || round === lastRound - 1) await checkLog(t, options, ledger, mayForget);
    }
    acknowledged += ledger.messagesAcknowledged;
  }
  t.log(`seed=${seed} rounds=${ROUNDS} killed=${killed} acknowledged=${acknowledged}`);
  t.true(killed > 0 && acknowledged > 0);
}

const modes: Record<string, MessageStoreOptions> = {
  "SYNC_FLUSH, mapped": { flushDiskType: "SYNC_FLUSH" },
  "SYNC_FLUSH, writeWithoutMmap": { flushDiskType: "SYNC_FLUSH", writeWithoutMmap: true },
  "ASYNC_FLUSH, mapped": { flushIntervalCommitLog: 20 },
  "ASYNC_FLUSH, writeWithoutMmap": { writeWithoutMmap: true, flushIntervalCommitLog: 20 },
};

for (const [name, mode] of Object.entries(modes)) {
  test.serial(`killed at any moment, nothing acknowledged is lost, and nothing else appears: ${name}`, async (t) => {
    t.timeout(60_000 + ROUNDS * 5000);
    await killRepeatedly(t, mode);
  });
}

test.serial("killed at any moment, the transient store pool loses no more than the end of the log", async (t) => {
  t.timeout(60_000 + ROUNDS * 5000);
  await killRepeatedly(t, {
    transientStorePoolEnable: true,
    transientStorePoolSize: 8,
    commitIntervalCommitLog: 10,
    flushIntervalCommitLog: 20,
  });
});
