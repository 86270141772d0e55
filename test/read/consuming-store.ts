import { createStorage } from "@millrace/mapped-file";
import { ControlBlock, QueueTableWriter } from "@millrace/shared-memory";
import type { Message, MessageStoreOptions, PutMessageResult } from "@millrace/store";
import { Pipeline, pipelineData } from "@millrace/store/internal/pipeline.js";
import { PutMessageService } from "@millrace/store/internal/put/put-message-service.js";
import { TopicTable } from "@millrace/store/internal/put/topic-table.js";
import { ArrivalSignal } from "@millrace/store/internal/read/arrival-signal.js";
import type { ConsumeOptions } from "@millrace/store/internal/read/consume-options.js";
import type { MessageArrivingListener } from "@millrace/store/internal/read/message-arriving.js";
import { MessageArriving } from "@millrace/store/internal/read/message-arriving.js";
import type { MessageConsumer } from "@millrace/store/internal/read/message-consumer.js";
import { MessageConsumers } from "@millrace/store/internal/read/message-consumers.js";
import { MessageReader } from "@millrace/store/internal/read/message-reader.js";
import { DelayLevels } from "@millrace/store/internal/schedule/delay-levels.js";
import { openDirectory } from "@millrace/store/internal/store-opening.js";
import type { ExecutionContext } from "ava";
import { temporaryDirectory } from "../temporary-directory.js";

/** The whole pipeline over a new directory, with only what consuming needs on the main thread. */
export class ConsumingStore {
  readonly reader: MessageReader;
  readonly arrivals: ArrivalSignal;
  readonly consumers: MessageConsumers;
  readonly arriving: MessageArriving;
  readonly topics: TopicTable;
  readonly #put: PutMessageService;
  readonly #pipeline: Pipeline;
  readonly #release: () => void;
  #closing: Promise<void> | undefined;

  private constructor(put: PutMessageService, pipeline: Pipeline, reader: MessageReader, release: () => void) {
    const { control, data } = pipeline;
    this.#put = put;
    this.#pipeline = pipeline;
    this.#release = release;
    this.topics = put.topics;
    this.reader = reader;
    this.arrivals = new ArrivalSignal(control, data.queues, put.topics);
    this.consumers = new MessageConsumers(reader, this.arrivals);
    this.arriving = new MessageArriving(reader.commitLog, control, this.arrivals, DelayLevels.parse(data.config.messageDelayLevel));
  }

  static async open(t: ExecutionContext, options: MessageStoreOptions = {}): Promise<ConsumingStore> {
    const root = temporaryDirectory(t);
    const directory = await openDirectory(
      { storePathRootDir: root, mappedFileSizeCommitLog: 256 * 1024, maxIndexNum: 1000, maxHashSlotNum: 100, ...options },
      { kind: "real" },
    );
    const start = { ...directory.recovery, ...directory.dispatch, deletedTopics: new Map() };
    const data = pipelineData(directory.config, { kind: "real" }, start);
    const control = ControlBlock.attach(data.control, "main");
    const topics = new TopicTable(new QueueTableWriter(data.queues, control.counters.queueSlots));
    const pipeline = await Pipeline.start(data, control);
    const put = new PutMessageService(directory.config, control, data.ring, topics);
    const reader = new MessageReader(createStorage({ kind: "real" }), directory.config, control, data.queues, topics);
    const store = new ConsumingStore(put, pipeline, reader, () => directory.lock.release());
    t.teardown(() => store.close());
    return store;
  }

  putMessage(message: Message): Promise<PutMessageResult> {
    return this.#put.putMessage(message);
  }

  consume(options: ConsumeOptions): MessageConsumer {
    return this.consumers.consume(options);
  }

  onMessageArriving(listener: MessageArrivingListener): () => void {
    return this.arriving.add(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.consumers.close();
    this.arriving.close();
    this.arrivals.close();
    await this.#put.drained();
    await this.#pipeline.stop();
    this.#put.close();
    this.reader.close();
    await this.#pipeline.destroy();
    this.#release();
  }
}
