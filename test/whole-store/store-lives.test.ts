import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MessageStore } from "@millrace/store";
import test from "ava";
import { PATIENCE } from "../support/patience.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { testIf } from "../support/test-if.js";
import { dispatchedAll, until } from "../support/until.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
const LIVES = 4;
/** In KiB. The addresses that one store's shared memory reserves are ten times this; Node's own figures leave out what is shared. */
const GROWTH_LIMIT = 1024 * 1024;
const onLinux = testIf(process.platform === "linux", "only Linux says how many addresses a process has taken");

function addressesTaken(): number {
  return Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
}

onLinux("a store that is closed leaves no shared memory behind, whoever slept on its words", async (t) => {
  const storePathRootDir = temporaryDirectory(t);
  const used: number[] = [];
  for (let life = 0; life < LIVES; life++) {
    // Not openStore, whose teardown would keep it.
    const store = await MessageStore.open({
      ...PATIENCE,
      storePathRootDir,
      mappedFileSizeCommitLog: SEGMENT_SIZE,
      messageIndexEnable: false,
      flushDiskType: "SYNC_FLUSH",
    });
    store.onMessageArriving(() => {});
    const consumer = store.consume({ topic: "TopicB", queueId: 0, from: "latest" });
    const next = consumer[Symbol.asyncIterator]().next();
    // Some after others: what is alone in the pipeline is durable when it is answered, and nobody sleeps on results then.
    const puts: Promise<unknown>[] = [];
    for (let n = 0; n < 50; n++) {
      puts.push(store.putMessage(message()));
      if (n % 5 === 0) await setImmediate();
    }
    await Promise.all(puts);
    await store.close();
    await next;
    for (let turn = 0; turn < 3; turn++) {
      await setImmediate();
      collectGarbage();
    }
    used.push(addressesTaken());
  }
  const grown = (used.at(-1) ?? 0) - (used[0] ?? 0);
  t.true(grown < GROWTH_LIMIT, `KiB after each life: ${used.join(" ")}`);
});

test.serial("what is idle for a moment is forced in the background: closing many queues forces none of them", async (t) => {
  const store = await openStore(t, { messageIndexEnable: false, flushIntervalConsumeQueue: 50 });
  const QUEUES = 500;
  await Promise.all(Array.from({ length: QUEUES }, (_, queueId) => store.putMessage(message({ queueId }))));
  await dispatchedAll(store);
  await until(() => store.stats().dispatch.forces >= 2 * QUEUES); // their files, and their directories
  await store.close();
  t.true(store.stats().dispatch.forces < 2 * QUEUES + 5, `forces=${store.stats().dispatch.forces}`);
});
