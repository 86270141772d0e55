import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, segmentFileName, tagsCode } from "@millrace/format";
import { KernelMemory } from "@millrace/kernels";
import { createStorage, type StorageSpec } from "@millrace/mapped-file";
import { allocateQueueTable, ControlBlock, initializeQueues, QueueTableWriter } from "@millrace/shared-memory";
import type { MessageStoreOptions } from "@millrace/store";
import type { ExecutionContext } from "ava";
import { counterWord } from "#shared-memory/control-block-descriptor.js";
import { initializeCounter } from "#shared-memory/counter.js";
import { resolveConfig } from "#store/config/message-store-config.js";
import { TopicTable } from "#store/put/topic-table.js";
import { MessageReader } from "#store/read/message-reader.js";
import type { CommitLogBuilder } from "./commit-log-builder.js";
import { decodeMessage } from "./message-decoder.js";
import { temporaryDirectory } from "./temporary-directory.js";

/** Units of a ConsumeQueue file, where a test says nothing else. */
export const UNITS_PER_FILE = 10;

export interface Unit {
  readonly physicalOffset: number;
  readonly size: number;
  readonly tagsCode: number;
}

/** A log and its ConsumeQueues as the other threads would have left them, and the reader of the main thread. */
export class BuiltStore {
  readonly root: string;
  readonly unitsPerFile: number;
  readonly control = ControlBlock.create({});
  readonly queues = allocateQueueTable(new KernelMemory());
  readonly main = ControlBlock.attach(this.control, "main");
  readonly topics = new TopicTable(new QueueTableWriter(this.queues, this.main.counters.queueSlots));
  readonly reader: MessageReader;
  readonly #initialize = initializeQueues(this.queues);
  readonly #allocate = ControlBlock.attach(this.control, "allocate");
  readonly #append = ControlBlock.attach(this.control, "append");
  readonly #dispatch = ControlBlock.attach(this.control, "dispatch");

  constructor(
    t: ExecutionContext,
    builder: CommitLogBuilder,
    options: Partial<MessageStoreOptions> = {},
    storage: StorageSpec = { kind: "real" },
  ) {
    this.root = temporaryDirectory(t);
    const config = resolveConfig({
      storePathRootDir: this.root,
      mappedFileSizeCommitLog: builder.segmentSize,
      mappedFileSizeConsumeQueue: UNITS_PER_FILE * CONSUME_QUEUE_UNIT_LENGTH,
      ...options,
    });
    this.unitsPerFile = config.mappedFileSizeConsumeQueue / CONSUME_QUEUE_UNIT_LENGTH;
    this.reader = new MessageReader(createStorage(storage), config, this.main, this.queues, this.topics);
    t.teardown(() => this.reader.close());
    this.write(builder);
  }

  /** Everything that the builder holds is in the log, dispatched, and may be shown. */
  write(builder: CommitLogBuilder): void {
    builder.write(join(this.root, "commitlog"));
    for (const { offset } of builder.records) {
      const bytes = builder.image(offset);
      const record = decodeMessage(bytes, offset % builder.segmentSize);
      if (record.transactionType !== 0 && record.transactionType !== 8) continue;
      const unit = { physicalOffset: offset, size: record.size, tagsCode: tagsCode(record.properties.get("TAGS")) };
      this.setUnit(record.topic, record.queueId, record.queueOffset, unit);
      this.setQueue(record.topic, record.queueId, { next: record.queueOffset + 1, max: record.queueOffset + 1 });
    }
    this.#append.counters.wroteOffset.set(builder.offset);
    this.#dispatch.counters.reputFromOffset.set(builder.offset);
  }

  /** Below what the builder holds, too: as if the appender had come no further. */
  setWroteOffset(offset: number): void {
    initializeCounter(new Int32Array(this.control), counterWord("wroteOffset"), offset);
  }

  setMinOffset(offset: number): void {
    this.#allocate.counters.minOffset.set(offset);
  }

  setQueue(topic: string, queueId: number, { min, max, next }: { min?: number; max?: number; next?: number }): void {
    const slot = this.topics.slot(this.topics.topic(topic), queueId);
    this.#initialize(slot, { minQueueOffsets: min, maxQueueOffsets: max, nextQueueOffsets: next });
  }

  setUnit(topic: string, queueId: number, queueOffset: number, unit: Unit): void {
    const directory = join(this.root, "consumequeue", topic, String(queueId));
    mkdirSync(directory, { recursive: true });
    const bytes = Buffer.alloc(CONSUME_QUEUE_UNIT_LENGTH);
    bytes.writeBigInt64BE(BigInt(unit.physicalOffset), 0);
    bytes.writeInt32BE(unit.size, 8);
    bytes.writeBigInt64BE(BigInt(unit.tagsCode), 12);
    const position = (queueOffset % this.unitsPerFile) * CONSUME_QUEUE_UNIT_LENGTH;
    const file = openSync(this.queuePath(topic, queueId, queueOffset), "a+");
    closeSync(file);
    const writable = openSync(this.queuePath(topic, queueId, queueOffset), "r+");
    ftruncateSync(writable, this.unitsPerFile * CONSUME_QUEUE_UNIT_LENGTH);
    writeSync(writable, bytes, 0, bytes.length, position);
    closeSync(writable);
  }

  queuePath(topic: string, queueId: number, queueOffset: number): string {
    const first = (queueOffset - (queueOffset % this.unitsPerFile)) * CONSUME_QUEUE_UNIT_LENGTH;
    return join(this.root, "consumequeue", topic, String(queueId), segmentFileName(first));
  }

  segmentPath(fromOffset: number): string {
    return join(this.root, "commitlog", segmentFileName(fromOffset));
  }
}
