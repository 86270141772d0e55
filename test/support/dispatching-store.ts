import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { segmentFileName } from "@millrace/format";
import { ControlBlock, monotonicMs, QueueTableWriter } from "@millrace/shared-memory";
import type { MessageStoreConfig, MessageStoreOptions } from "@millrace/store";
import { ConsumeQueueDispatcher } from "#store/dispatch/consume-queue-dispatcher.js";
import { ConsumeQueueForcer } from "#store/dispatch/consume-queue-forcer.js";
import { ConsumeQueueScrub } from "#store/dispatch/consume-queue-scrub.js";
import { dispatchedMarkWriter } from "#store/dispatch/dispatch-worker.js";
import { ExpiredConsumeQueues } from "#store/dispatch/expired-consume-queues.js";
import { IndexDispatcher } from "#store/dispatch/index-dispatcher.js";
import { ReputMessageService } from "#store/dispatch/reput-message-service.js";
import { writeLogStart } from "#store/marks/log-start.js";
import { type OpenedDirectory, openDirectory } from "#store/open/open-directory.js";
import { registerQueues } from "#store/open/open-pipeline.js";
import { pipelineData } from "#store/pipeline/pipeline-data.js";
import { TopicTable } from "#store/put/topic-table.js";
import { MessageReader } from "#store/read/message-reader.js";
import type { StoreEventSink } from "#store/tell/store-event.js";
import { NO_EVENTS } from "./no-events.js";

/**
 * The real clock never comes to a round: {@link DispatchingStore.flush} sets one of its own forward, by more than the interval of
 * the round.
 */
const FLUSH_MS = 2 ** 30;
const THOROUGH_MS = 2 ** 32;
export const ROUNDS_ON_DEMAND: MessageStoreOptions = {
  flushIntervalConsumeQueue: 2 ** 29,
  flushConsumeQueueLeastPages: 0,
  flushConsumeQueueThoroughInterval: 2 ** 31 - 1,
};

/** A store that is opened, dispatches and is read in one thread, step by step. Its log is written by others. */
export class DispatchingStore {
  readonly directory: OpenedDirectory;
  readonly reader: MessageReader;
  readonly #control: ReturnType<typeof pipelineData>["control"];
  readonly #topics: TopicTable;
  readonly #consumeQueues: ConsumeQueueDispatcher;
  readonly #index: IndexDispatcher;
  readonly #flush: ConsumeQueueForcer;
  readonly #service: ReputMessageService;
  readonly #expired: ExpiredConsumeQueues;
  #aheadMs = 0;

  private constructor(directory: OpenedDirectory) {
    this.directory = directory;
    const { config, storage, paths, recovery, dispatch, deletedTopics } = directory;
    const data = pipelineData(config, { kind: "real" }, { ...recovery, ...dispatch, deletedTopics: deletedTopics.offsets });
    this.#control = data.control;
    const main = ControlBlock.attach(data.control, "main");
    this.#topics = new TopicTable(new QueueTableWriter(data.queues, main.counters.queueSlots));
    registerQueues(dispatch.queues, this.#topics, data.queues);
    const control = ControlBlock.attach(data.control, "dispatch");
    const { counters } = control;
    this.#consumeQueues = new ConsumeQueueDispatcher(storage, config, data.queues, control, data.deletedTopics);
    this.#index = new IndexDispatcher(storage, paths, config, data.indexFromOffset);
    const mark = dispatchedMarkWriter(storage, paths, this.#index, counters.wroteOffset.get());
    this.#consumeQueues.beginNotes();
    mark(counters.reputFromOffset.value);
    this.#flush = new ConsumeQueueForcer(control, storage, config, this.#consumeQueues, [this.#index], mark);
    this.#service = new ReputMessageService(control, storage, config, [this.#consumeQueues, this.#index], this.#flush, NO_EVENTS);
    const scrub = new ConsumeQueueScrub(storage, config, this.#consumeQueues, counters, NO_EVENTS);
    const maxOffset = (): number => counters.wroteOffset.get();
    this.#expired = new ExpiredConsumeQueues(storage, config, this.#consumeQueues, [this.#index], deletedTopics, maxOffset, scrub);
    this.reader = new MessageReader(storage, config, main, data.queues, this.#topics);
  }

  static async open(options: MessageStoreOptions): Promise<DispatchingStore> {
    return new DispatchingStore(await openDirectory(options, { kind: "real" }));
  }

  get config(): MessageStoreConfig {
    return this.directory.config;
  }

  /** The log reaches to there now. */
  dispatchTo(offset: number, queues: Iterable<{ topic: string; queueId: number }>): void {
    for (const { topic, queueId } of queues) this.#topics.slot(this.#topics.topic(topic), queueId);
    ControlBlock.attach(this.#control, "append").counters.wroteOffset.set(offset);
    while (this.#service.doWork() > 0) {}
  }

  /** Begins a round in the background: of what is dirty, or thorough, with the mark. After a thorough one all are. */
  flush(isThorough: boolean): void {
    this.#aheadMs += isThorough ? THOROUGH_MS : FLUSH_MS;
    const { reputFromOffset } = ControlBlock.attach(this.#control, "dispatch").counters;
    this.#flush.flushWhenDue(monotonicMs() + this.#aheadMs, reputFromOffset.value, 1, 1);
  }

  get isForcing(): boolean {
    return this.#flush.isForcing;
  }

  /** As the cleaner does before a segment goes. */
  async untilForced(offset: number): Promise<void> {
    while (!this.#flush.isForcedTo(offset)) {
      this.#service.doWork();
      await setImmediate();
    }
  }

  /** A thorough round, and its end. */
  async forceAll(): Promise<void> {
    while (this.isForcing) await setImmediate();
    this.flush(true);
    while (this.isForcing) await setImmediate();
  }

  /** A scrub of the queues beside the store's own. @param minOffset of the log, asked for each unit */
  scrubWith(events: StoreEventSink, minOffset: () => number): ConsumeQueueScrub {
    const { counters } = ControlBlock.attach(this.#control, "dispatch");
    const asked = { ...counters, minOffset: { get: minOffset } } as typeof counters;
    return new ConsumeQueueScrub(this.directory.storage, this.config, this.#consumeQueues, asked, events);
  }

  deleteTopic(topic: string, offset: number): string | undefined {
    const failure = this.#expired.deleteTopic(topic, offset);
    this.#topics.forget(topic);
    return failure;
  }

  /** Segments below go, then what ConsumeQueues and index have of them. */
  expire(minOffset: number): void {
    const { paths, storage } = this.directory;
    writeLogStart(storage, paths, minOffset);
    for (const name of readdirSync(paths.commitLog)) if (name < segmentFileName(minOffset)) rmSync(join(paths.commitLog, name));
    ControlBlock.attach(this.#control, "allocate").counters.minOffset.set(minOffset);
    for (let isDone = false; !isDone; ) ({ isDone } = this.#expired.deleteExpired(minOffset));
  }

  async closeWell(): Promise<void> {
    await this.#service.onClose();
    this.#end();
    this.directory.abort.remove();
  }

  /** As at a power failure: nothing is forced. */
  abandon(): void {
    this.#end();
  }

  #end(): void {
    this.reader.close();
    this.#consumeQueues.close();
    this.#index.close();
    this.directory.lock.release();
  }
}
