/** A process that does nothing but what its argument says. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KernelMemory } from "@millrace/kernels";
import { createStorage } from "@millrace/mapped-file";
import { allocateQueueTable, ControlBlock, QueueTableWriter, queueColumns } from "@millrace/shared-memory";
import { DelayLevels } from "#format/delay-levels.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { ArrivalSignal } from "#store/consume/arrival-signal.js";
import { MessageArriving } from "#store/consume/message-arriving.js";
import { TopicTable } from "#store/put/topic-table.js";
import { MessageReader } from "#store/read/message-reader.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";

const root = mkdtempSync(join(tmpdir(), "millrace-"));
process.once("exit", () => rmSync(root, { recursive: true }));
const builder = new CommitLogBuilder();
const control = ControlBlock.create({});
const main = ControlBlock.attach(control, "main");
const { counters: appendCounters } = ControlBlock.attach(control, "append");
const dispatch = ControlBlock.attach(control, "dispatch");
const queues = allocateQueueTable(new KernelMemory());
const { maxQueueOffsets } = queueColumns(queues, dispatch);
const topics = new TopicTable(new QueueTableWriter(queues, main.counters.queueSlots));
const config = resolveConfig({ storePathRootDir: root, mappedFileSizeCommitLog: builder.segmentSize });
const reader = new MessageReader(createStorage({ kind: "real" }), config, main, queues, topics);
const arrivals = new ArrivalSignal(main, queues, topics);
const arriving = new MessageArriving(reader.commitLog, main, arrivals, DelayLevels.parse("1s"));

function arrive(messages: number): void {
  const slot = topics.slot(topics.topic("TopicA"), 0);
  for (let n = 0; n < messages; n++) builder.add();
  builder.write(config.storePathCommitLog);
  maxQueueOffsets.set(slot, builder.records.length);
  appendCounters.wroteOffset.set(builder.offset);
  dispatch.counters.reputFromOffset.publish(builder.offset);
}

const acts: Record<string, () => void> = {
  waits: () => {
    const queueSlot = topics.slot(topics.topic("TopicA"), 0);
    const wake = (): void => void process.stdout.write(`consumed ${builder.records.length}\n`);
    arrivals.wait({ topic: "TopicA", queueId: 0, queueSlot, queueOffset: 0, wake });
    setTimeout(arrive, 200, 1).unref();
  },
  listens: () => {
    arriving.add(() => process.stdout.write("heard\n"));
    setTimeout(arrive, 200, 1).unref();
  },
  throws: () => {
    let heard = 0;
    let uncaught = 0;
    process.on("uncaughtException", () => uncaught++);
    arriving.add(() => {
      throw new Error("a listener's");
    });
    arriving.add(() => heard++);
    arrive(3);
    const looking = setInterval(() => {
      if (heard < 3 || uncaught < 3) return;
      clearInterval(looking);
      process.stdout.write(`heard ${heard} uncaught ${uncaught}\n`);
    }, 20);
  },
};

acts[process.argv[2] ?? ""]?.();
