import { createStorage } from "@millrace/mapped-file";
import { ControlBlock, QueueTableWriter } from "@millrace/shared-memory";
import type { Message, MessageStoreOptions, PutMessageResult } from "@millrace/store";
import type { ExecutionContext } from "ava";
import { DelayLevels } from "#format/delay-levels.js";
import { ArrivalSignal } from "#store/consume/arrival-signal.js";
import type { ConsumeOptions } from "#store/consume/consume-options.js";
import type { MessageArrivingListener } from "#store/consume/message-arriving.js";
import { MessageArriving } from "#store/consume/message-arriving.js";
import type { MessageConsumer } from "#store/consume/message-consumer.js";
import { MessageConsumers } from "#store/consume/message-consumers.js";
import { openDirectory } from "#store/open/open-directory.js";
import { IdleThreads } from "#store/pipeline/idle-threads.js";
import { Pipeline } from "#store/pipeline/pipeline.js";
import { pipelineData } from "#store/pipeline/pipeline-data.js";
import { MessagePutter } from "#store/put/message-putter.js";
import { TopicTable } from "#store/put/topic-table.js";
import { MessageReader } from "#store/read/message-reader.js";
import type { TopicSelection } from "#store/read/topic-selection.js";
import { temporaryDirectory } from "./temporary-directory.js";

/** The whole pipeline over a new directory, with only what consuming needs on the main thread. */
export class ConsumingStore {
  readonly reader: MessageReader;
  readonly arrivals: ArrivalSignal;
  readonly consumers: MessageConsumers;
  readonly arriving: MessageArriving;
  readonly topics: TopicTable;
  readonly root: string;
  /** Another reader of the main thread, which has read nothing yet. */
  readonly freshReader: () => MessageReader;
  readonly #put: MessagePutter;
  readonly #pipeline: Pipeline;
  readonly #release: () => void;
  #closing: Promise<void> | undefined;

  private constructor(put: MessagePutter, pipeline: Pipeline, reader: MessageReader, release: () => void) {
    const { control, data } = pipeline;
    this.#put = put;
    this.#pipeline = pipeline;
    this.#release = release;
    this.topics = put.topics;
    this.root = data.config.storePathRootDir;
    const storage = createStorage({ kind: "real" });
    this.freshReader = () => new MessageReader(storage, data.config, control, data.queues, put.topics);
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
    const pipeline = await Pipeline.start(await IdleThreads.start(directory.config), data, control, () => {});
    const put = new MessagePutter(directory.config, control, data, topics);
    const reader = new MessageReader(createStorage({ kind: "real" }), directory.config, control, data.queues, topics);
    const store = new ConsumingStore(put, pipeline, reader, () => directory.lock.release());
    t.teardown(() => store.close());
    return store;
  }

  /** All that was put is in the ConsumeQueues, and listeners that come now are not notified of it. */
  get isDispatched(): boolean {
    const { reputFromOffset, wroteOffset } = this.#pipeline.control.counters;
    return reputFromOffset.get() === wroteOffset.get();
  }

  putMessage(message: Message): Promise<PutMessageResult> {
    return this.#put.putMessage(message);
  }

  consume(options: ConsumeOptions): MessageConsumer {
    return this.consumers.consume(options);
  }

  onMessageArriving(listener: MessageArrivingListener, selection?: TopicSelection): () => void {
    return this.arriving.add(listener, selection);
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
