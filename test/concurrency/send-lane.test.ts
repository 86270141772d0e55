import { once } from "node:events";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ControlBlock } from "@millrace/shared-memory";
import test from "ava";
import { TransferReader } from "#store/replicate/transfer-reader.js";
import { laneConnection } from "../support/lane-connection.js";
import { logByte } from "../support/lane-log.js";
import { chosenSeed, seededRandom } from "../support/random.js";
import { reportBytes } from "../support/raw-slave.js";
import { socketPair } from "../support/socket-pair.js";
import type { LaneWorkerData } from "./lane-worker.js";

const APPENDER = join(import.meta.dirname, "lane-worker.js");
const GROUPS = 4000;
const BATCH = 16 * 1024;

test("two threads that send to a slave in turns, as they open and close the lane, send it the log, each byte once", async (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const [master, slave] = await socketPair(t);
  const control = ControlBlock.create({});
  const { connection, sentBytes, ends } = laneConnection(master, control, { haTransferBatchSize: BATCH });
  const { wroteOffset, replicatedOffset, laneOffset } = ControlBlock.attach(control, "replicate").counters;

  let [end, wrong, gaps, longest] = [0, 0, 0, 0];
  const reader = new TransferReader();
  const sink = {
    onHeader(offset: number, length: number) {
      if (offset !== end) gaps++;
      longest = Math.max(longest, length);
    },
    onBody(bytes: Uint8Array) {
      for (const byte of bytes) if (byte !== logByte(end++)) wrong++;
    },
  };
  slave.on("data", (chunk) => {
    reader.push(chunk, sink);
    slave.write(reportBytes(end));
  });
  slave.write(reportBytes(0));

  const workerData: LaneWorkerData = { control, seed, groups: GROUPS, haTransferBatchSize: BATCH };
  const appender = new Worker(APPENDER, { workerData });
  let hasExited = false;
  const exited = once(appender, "exit").then(([code]) => {
    hasExited = true;
    return code as number;
  });
  let [onLane, closed] = [0, 0];
  while (!hasExited || end < wroteOffset.get()) {
    if (connection.openLane()) onLane++;
    if (random(5) === 0 && connection.isOnLane) {
      connection.closeLane();
      closed++;
    }
    if (random(200) === 0) slave.pause();
    else if (random(20) === 0) slave.resume();
    connection.send();
    await setImmediate();
    if (connection.acknowledged > replicatedOffset.value) replicatedOffset.publish(connection.acknowledged);
  }
  t.is(await exited, 0);
  connection.closeLane(); // which counts what the appender has sent last
  t.log(`bytes=${end} appender=${laneOffset.get()} opened=${onLane} closed=${closed}`);
  t.deepEqual({ wrong, gaps, ends }, { wrong: 0, gaps: 0, ends: [] });
  t.is(end, wroteOffset.get());
  t.true(longest <= BATCH);
  t.is(sentBytes(), end);
  t.true(closed > 0 && laneOffset.get() > 0, "both have sent");
  connection.end(undefined);
});
