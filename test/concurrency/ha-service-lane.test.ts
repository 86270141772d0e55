import { once } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { segmentFileName } from "@millrace/format";
import test, { type ExecutionContext } from "ava";
import { LaneSender } from "#store/append/lane-sender.js";
import { laneGroup, wrongBytes } from "../support/lane-log.js";
import { emptyPipelineData, wordsOf } from "../support/pipeline-on-this-thread.js";
import { RawSlave } from "../support/raw-slave.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { until } from "../support/until.js";

const REPLICATE = join(import.meta.dirname, "ha-service-worker.js");
/** Longer than the service listens without its event loop. */
const IDLE_MS = 20;

interface Master {
  readonly port: number;
  /** As the appender does; true if it has sent the group itself. */
  append(length: number): boolean;
  end(): number;
  replicated(): number;
  inSync(): number;
}

/** A SYNC_MASTER whose appender is this thread, and whose replicate thread is one of its own. */
async function startMaster(t: ExecutionContext): Promise<Master> {
  const options = { brokerRole: "SYNC_MASTER", haListenPort: 0, mappedFileSizeCommitLog: 1024 * 1024 } as const;
  const data = emptyPipelineData({ storePathRootDir: temporaryDirectory(t), ...options }, { kind: "real" });
  const file = openSync(join(data.config.storePathCommitLog, segmentFileName(0)), "w");
  const block = wordsOf(data, "append");
  const { wroteOffset, sendRequestedOffset, replicatedOffset, inSyncSlaves } = block.counters;
  const sender = new LaneSender(data.config, block);
  const replicate = new Worker(REPLICATE, { workerData: data });
  const [port] = (await once(replicate, "message")) as [number];
  t.teardown(async () => {
    replicate.postMessage("end");
    await once(replicate, "exit");
    closeSync(file);
  });
  return {
    port,
    end: () => wroteOffset.value,
    replicated: () => replicatedOffset.get(),
    inSync: () => inSyncSlaves.get(),
    append(length) {
      const offset = wroteOffset.value;
      const group = laneGroup(offset, length);
      writeSync(file, group.transfer.subarray(12), 0, length, offset);
      wroteOffset.set(offset + length);
      const isSent = sender.send(group, offset);
      if (isSent) sendRequestedOffset.set(offset + length);
      else sendRequestedOffset.publish(offset + length);
      return isSent;
    },
  };
}

test.serial("the appender sends to a slave while that is the only one, and what it sends is acknowledged", async (t) => {
  const master = await startMaster(t);
  const slave = await RawSlave.connect(t, master.port);
  slave.report(0);
  await until(() => master.inSync() === 1);
  /** Appends until the appender sends itself. */
  const sendsItself = async (): Promise<boolean> => {
    const isSent = master.append(100);
    await until(() => master.replicated() === master.end());
    return isSent;
  };
  await until(sendsItself);
  // Also to one that has not been listened to for a while; on a busy machine a slave may be late meanwhile.
  await until(async () => {
    await setTimeout(IDLE_MS);
    return await sendsItself();
  });

  const second = await RawSlave.connect(t, master.port);
  second.report(0);
  await until(() => master.inSync() === 2);
  await until(() => second.end === master.end());
  t.false(master.append(100), "there are two to send to");
  await until(() => slave.end === master.end() && second.end === master.end());

  second.socket.destroy();
  await until(() => master.inSync() === 1);
  await until(sendsItself);
  for (const { log } of [slave, second]) t.is(wrongBytes(log, 0), 0);
});

test.serial("a slave that comes back is sent what it lacks, and then by the appender again", async (t) => {
  const master = await startMaster(t);
  for (let round = 0; round < 5; round++) {
    const slave = await RawSlave.connect(t, master.port);
    slave.report(0);
    await until(() => master.inSync() === 1);
    await until(async () => {
      const isSent = master.append(1 + round * 7);
      await until(() => master.replicated() === master.end());
      return isSent;
    });
    t.is(slave.end, master.end());
    t.is(wrongBytes(slave.log, 0), 0);
    slave.socket.destroy();
    master.append(50); // perhaps to a socket that nobody reads any more
    await until(() => master.inSync() === 0);
    t.false(master.append(50));
  }
});
