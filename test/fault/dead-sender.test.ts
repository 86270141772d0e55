import type { Worker } from "node:worker_threads";
import { ControlBlock, QueueTableWriter } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { IdleThreads } from "#store/pipeline/idle-threads.js";
import { Pipeline } from "#store/pipeline/pipeline.js";
import { MessagePutter } from "#store/put/message-putter.js";
import { TopicTable } from "#store/put/topic-table.js";
import { isHaReport } from "#store/replicate/ha-report.js";
import { emptyPipelineData } from "../support/pipeline-on-this-thread.js";
import { RawSlave } from "../support/raw-slave.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message } from "../support/temporary-store.js";
import { until } from "../support/until.js";

interface Master {
  readonly control: ControlBlock<"main">;
  readonly slave: RawSlave;
  readonly append: Worker;
  readonly replicate: Worker;
}

/** The threads of a SYNC_MASTER whose appender sends to its slave itself, and is taken to be in the middle of a group. */
async function sendingMaster(t: ExecutionContext): Promise<Master> {
  const options = { brokerRole: "SYNC_MASTER", haListenPort: 0, haSendHeartbeatInterval: 100 } as const;
  const data = emptyPipelineData({ storePathRootDir: temporaryDirectory(t), ...options }, { kind: "real" });
  const control = ControlBlock.attach(data.control, "main");
  let port = 0;
  const threads: Worker[] = [];
  const onThread = (thread: Worker): number => threads.push(thread);
  process.on("worker", onThread);
  const idle = await IdleThreads.start(data.config);
  const pipeline = await Pipeline.start(idle, data, control, (report) => {
    if (isHaReport(report) && "ha" in report) port = report.ha.listen?.port ?? port;
  });
  process.off("worker", onThread);
  const putter = new MessagePutter(
    data.config,
    control,
    data,
    new TopicTable(new QueueTableWriter(data.queues, control.counters.queueSlots)),
  );
  t.teardown(async () => {
    putter.close();
    await pipeline.destroy();
  });
  await until(() => port > 0);
  const slave = await RawSlave.connect(t, port);
  slave.report(0);
  const { inSyncSlaves, laneOffset } = control.counters;
  await until(() => inSyncSlaves.get() === 1);
  await until(async () => {
    await putter.putMessage(message());
    return laneOffset.get() > 0 && control.sendLane.take();
  });
  return { control, slave, append: threads[0] as Worker, replicate: threads.at(-1) as Worker };
}

test.serial("a slave whose master's appender dies while it sends hears of it, and the replicate thread goes on", async (t) => {
  const { control, slave, append } = await sendingMaster(t);
  await append.terminate();
  await slave.closed();
  const { replicateHeartbeatUs, connectedSlaves } = control.counters;
  await until(() => connectedSlaves.get() === 0);
  const seen = replicateHeartbeatUs.get();
  await until(() => replicateHeartbeatUs.get() > seen);
  t.false(control.sendLane.take());
});

test.serial("so does one whose master's replicate thread dies first", async (t) => {
  const { control, slave, append, replicate } = await sendingMaster(t);
  await replicate.terminate();
  await append.terminate();
  await slave.closed();
  t.is(control.sendLane.descriptor, -1);
});
