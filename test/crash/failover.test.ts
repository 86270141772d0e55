import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { bundledStore } from "../support/bundled-store.js";
import { chosenSeed, seededRandom } from "../support/random.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { KIB } from "../support/temporary-store.js";
import { until } from "../support/until.js";
import { numberOf, QUEUES, REPLICA_TOPIC } from "./replica-message.js";

const ROUNDS = Number(process.env.MILLRACE_FAILOVER_ROUNDS ?? 2);
const LIFE = fileURLToPath(new URL("replica-life.js", import.meta.url));
const FLUSH = ["ASYNC_FLUSH", "SYNC_FLUSH"] as const;
/** Threads may wait for a core: no put is late, and none is refused, which would leave a gap in the numbers. */
const PATIENCE = { slaveTimeout: 60_000, osPageCacheBusyTimeOutMills: 60_000 } as const;

interface Life {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  readonly lines: string[];
}

function live(t: ExecutionContext, options: MessageStoreOptions): Life {
  const child = spawn(process.execPath, [...bundledStore(), LIFE, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  return { process: child, lines };
}

/** All that it has said is heard. */
async function end({ process: child }: Life, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  const closed = once(child, "close");
  child.kill(signal);
  await closed;
}

function acknowledgedBy({ lines }: Life): number[] {
  return lines.filter((line) => line.startsWith("acknowledged ")).map((line) => Number(line.slice("acknowledged ".length)));
}

/** The numbers of a queue's messages, in its order. */
function numbersIn(store: MessageStore, queueId: number): number[] {
  const numbers: number[] = [];
  for (let queueOffset = 0; ; ) {
    using found = store.getMessage({ topic: REPLICA_TOPIC, queueId, queueOffset, maxMessages: 1000 });
    if (found.status !== "FOUND") return numbers;
    for (const { body } of found.messages) numbers.push(Number.parseInt(body.toString("latin1", 0, 20), 10));
    queueOffset = found.nextBeginOffset;
  }
}

test.serial(
  "the master of a SYNC_MASTER pair is killed and its directory is gone: its slave, opened as master, has all that was acknowledged",
  async (t) => {
    const seed = chosenSeed();
    const random = seededRandom(seed);
    t.log(`seed=${seed}`);
    let total = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const root = temporaryDirectory(t);
      const directory = (name: string): MessageStoreOptions & { storePathRootDir: string } => ({
        storePathRootDir: join(root, name),
        mappedFileSizeCommitLog: 256 * KIB,
        flushDiskType: FLUSH[random(2)] ?? "ASYNC_FLUSH",
      });
      const [masterAt, slaveAt] = [directory("master"), directory("slave")];
      const master = live(t, { ...masterAt, brokerRole: "SYNC_MASTER", haListenPort: 0, ...PATIENCE });
      await until(() => master.lines[0]?.startsWith("port ") === true);
      const port = master.lines[0]?.slice("port ".length);
      const slave = live(t, { ...slaveAt, brokerRole: "SLAVE", haMasterAddress: `127.0.0.1:${port}` });
      const enough = 1 + random(3000);
      while (master.lines.length <= enough) {
        const before = master.lines.length;
        await until(() => master.lines.length > before); // however slow the machine is
      }
      await end(master, "SIGKILL");
      rmSync(masterAt.storePathRootDir, { recursive: true, force: true });
      await end(slave, random(2) === 0 ? "SIGKILL" : "SIGTERM");
      const acknowledged = acknowledgedBy(master);
      total += acknowledged.length;
      const promoted = await MessageStore.open(slaveAt);
      t.teardown(() => promoted.close());
      const found = Array.from({ length: QUEUES }, (_, queueId) => numbersIn(promoted, queueId));
      const has = new Set(found.flat());
      t.deepEqual(
        acknowledged.filter((number) => !has.has(number)),
        [],
        `round ${round}: nothing that was acknowledged is lost`,
      );
      for (const [queueId, numbers] of found.entries()) {
        const all = Array.from({ length: numbers.length }, (_, n) => numberOf(queueId, n));
        t.deepEqual(numbers, all, "each once, in the order of the puts");
      }
      const { status } = await promoted.putMessage({ topic: REPLICA_TOPIC, queueId: 0, body: Buffer.from("after") });
      t.is(status, "PUT_OK");
      await promoted.close();
      rmSync(root, { recursive: true, force: true });
    }
    t.log(`rounds=${ROUNDS} acknowledged=${total}`);
    t.true(total > 0);
  },
);
