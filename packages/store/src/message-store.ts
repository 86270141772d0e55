import { setTimeout } from "node:timers/promises";
import { MillraceError, storePaths } from "@millrace/format";
import { createStorage, LockFile, type StorageSpec } from "@millrace/mapped-file";
import { ControlBlock, type QueueTableBuffers, QueueTableWriter, type ServiceOutcome, StoreState } from "@millrace/shared-memory";
import type { StoreStats } from "@millrace/stats";
import type { MessageStoreConfig, MessageStoreOptions } from "./message-store-config.js";
import { Pipeline, pipelineData } from "./pipeline.js";
import type { Message } from "./put/message.js";
import type { PutMessageResult } from "./put/put-message-result.js";
import { PutMessageService } from "./put/put-message-service.js";
import { TopicTable } from "./put/topic-table.js";
import type { RecoveredQueue } from "./recover/dispatch-recovery.js";
import type { RecoveryReport } from "./recover/recovery-report.js";
import { StoreCheckpointFile } from "./recover/store-checkpoint.js";
import { clearStoreFence, readStoreFence, type StoreFence } from "./recover/store-fence.js";
import { type OpenedDirectory, openDirectory } from "./store-opening.js";
import { StoreStatsReader } from "./store-stats-reader.js";

/**
 * A store directory, open: RocketMQ's `DefaultMessageStore` as a pipeline of worker threads.
 *
 * Lives on the thread that opened it. `open` takes the directory's lock, recovers the commit log, then starts the appender, the flusher and
 * the allocator; `close` (or `await using`) ends them in that order, forces everything, and lets the process exit.
 */
export class MessageStore implements AsyncDisposable {
  /** The options in force: complete, checked, frozen. */
  readonly config: MessageStoreConfig;
  /** What opening found, kept and cut. */
  readonly recovery: RecoveryReport;
  readonly #directory: OpenedDirectory;
  readonly #pipeline: Pipeline;
  readonly #put: PutMessageService;
  readonly #stats: StoreStatsReader;
  /** Rejects of the flushes under way: a service that ends does not answer them. */
  readonly #flushes = new Set<(error: MillraceError) => void>();
  #failure: MillraceError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(directory: OpenedDirectory, pipeline: Pipeline, topics: TopicTable) {
    this.config = directory.config;
    this.recovery = directory.recovery;
    this.#directory = directory;
    this.#pipeline = pipeline;
    this.#put = new PutMessageService(directory.config, pipeline.control, pipeline.data.ring, topics);
    this.#stats = new StoreStatsReader(directory, pipeline, this.#put, {
      get: () => ({ found: 0, miss: 0, transferredMessages: 0, entireTimeMaxMs: 0 }),
      schedule: () => ({ delivered: 0, retried: 0, skipped: 0, levels: [] }),
      isDiskFull: () => false,
    });
    pipeline.control.counters.storeState.set(StoreState.running);
    if (directory.fence !== undefined) this.#fence(directory.fence, "the store was fenced before it was opened");
    void pipeline.firstEnd.then((outcome) => this.#serviceEnded(outcome));
  }

  /**
   * Opens the directory, creating it when missing; nobody else can then.
   *
   * @throws MillraceError `ERR_OPTION_…`, `ERR_STORE_LOCKED`, `ERR_COMMIT_LOG_CORRUPT`, `ERR_SEGMENT_…`, `ERR_PATH_…`, `ERR_ABORTED`,
   * `ERR_PIPELINE_START`
   */
  static async open(options: MessageStoreOptions = {}): Promise<MessageStore> {
    return await MessageStore.openOn(options, { kind: "real" });
  }

  /** Removes the fence of a directory that is not open: the operator has looked at the disk. */
  static clearFence(storePathRootDir: string): void {
    const storage = createStorage({ kind: "real" });
    const paths = storePaths(storePathRootDir);
    if (!storage.exists(paths.root)) throw new MillraceError("ERR_PATH_UNUSABLE", `there is no such directory: path=${paths.root}`);
    const lock = LockFile.acquire(storage, paths.lock);
    try {
      clearStoreFence(storage, paths.fence);
    } finally {
      lock.release();
    }
  }

  /** @internal {@link open} on a storage of a test's choosing. */
  static async openOn(options: MessageStoreOptions, storage: StorageSpec): Promise<MessageStore> {
    const directory = await openDirectory(options, storage);
    try {
      const data = pipelineData(directory.config, storage, {
        ...directory.recovery,
        ...directory.dispatch,
        deletedTopics: new Map(),
      });
      const control = ControlBlock.attach(data.control, "main");
      const topics = new TopicTable(new QueueTableWriter(data.queues, control.counters.queueSlots));
      registerQueues(directory.dispatch.queues, topics, data.queues);
      const pipeline = await Pipeline.start(data, control);
      await dispatched(pipeline, directory.recovery.maxOffset, options.signal);
      return new MessageStore(directory, pipeline, topics);
    } catch (error) {
      directory.lock.release();
      throw error;
    }
  }

  /**
   * Puts one message. Resolves in the order of the puts: in ASYNC_FLUSH when the record is in the page cache, in SYNC_FLUSH when it is
   * durable. Rejects with a MillraceError for what is no message at all (`ERR_TOPIC_ILLEGAL`, `ERR_QUEUE_ILLEGAL`, `ERR_MESSAGE_ILLEGAL`,
   * `ERR_PROPERTY_ILLEGAL`, `ERR_HOST_ILLEGAL`), when the ring is full (`ERR_RING_FULL`, `ERR_PUT_TIMEOUT`), and when the store does not take
   * puts any more (`ERR_STORE_CLOSED`, `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`). (RocketMQ: `MessageStore.asyncPutMessage`.)
   */
  putMessage(message: Message): Promise<PutMessageResult> {
    return this.#put.putMessage(message);
  }

  /**
   * Puts messages of one topic and queue as one: contiguous, with consecutive queue offsets, all or nothing, one promise.
   * Rejects as {@link putMessage}, and with `ERR_BATCH_ILLEGAL`. (RocketMQ: `MessageStore.asyncPutMessages`.)
   */
  putMessages(batch: readonly Message[]): Promise<PutMessageResult> {
    return this.#put.putMessages(batch);
  }

  /** End of the complete records, in bytes. */
  get maxPhysicalOffset(): number {
    return Math.max(this.#pipeline.control.counters.wroteOffset.get(), this.#put.acknowledgedOffset);
  }

  /** Everything below it is durable. */
  get flushedOffset(): number {
    const { flushedOffset, appendForcedOffset } = this.#pipeline.control.counters;
    return Math.max(flushedOffset.get(), appendForcedOffset.get());
  }

  /** Bytes of the log that cannot be consumed yet. (RocketMQ: `dispatchBehindBytes`.) */
  get dispatchBehindBytes(): number {
    return Math.max(0, this.maxPhysicalOffset - this.#pipeline.control.counters.reputFromOffset.get());
  }

  /** First byte on disk. */
  get minPhysicalOffset(): number {
    return this.#pipeline.control.counters.minOffset.get();
  }

  /**
   * Forces all that has been acknowledged; resolves with {@link flushedOffset}.
   * Rejects with `ERR_STORE_CLOSED`, `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`.
   */
  async flush(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) throw closed();
    return await new Promise((resolve, reject) => {
      this.#flushes.add(reject);
      const flushed = (offset: number): void => {
        this.#flushes.delete(reject);
        resolve(offset);
      };
      // A flush that fails ends its service; the reason comes with that end, to all that still wait.
      this.#pipeline.flushNow(this.#put.acknowledgedOffset).then(flushed, () => {});
    });
  }

  /** A plain object, cheap enough for ten times a second under full load. */
  stats(): StoreStats {
    return this.#stats.read();
  }

  /** Settles the puts in flight, forces everything, ends the threads, gives the lock back. Idempotent; rejects if the end was not clean. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const { storeState } = this.#pipeline.control.counters;
    this.#put.refuse(this.#failure ?? closed());
    try {
      if (this.#failure === undefined) await this.#put.drained();
      if (storeState.value < StoreState.closing) storeState.set(StoreState.closing);
      const outcome = await this.#pipeline.stop();
      if (!outcome.ok) this.#serviceEnded(outcome);
      this.#completeCheckpoint();
      if (this.#failure === undefined) this.#directory.abort.remove();
    } finally {
      this.#rejectFlushes(this.#failure ?? closed());
      this.#put.close();
      await this.#pipeline.destroy();
      this.#directory.lock.release();
      storeState.set(StoreState.closed);
    }
    if (this.#failure !== undefined && this.#directory.fence === undefined) throw this.#failure;
  }

  /** The flusher, whose file it is, has ended before the dispatcher had forced its last. */
  #completeCheckpoint(): void {
    const { storage, paths } = this.#directory;
    const { logicsMsgTimestamp, indexMsgTimestamp } = this.#pipeline.control.counters;
    const written = StoreCheckpointFile.read(storage, paths.checkpoint);
    if (written === undefined || logicsMsgTimestamp.get() <= written.logicsMsgTimestamp) return;
    const file = StoreCheckpointFile.open(storage, paths.checkpoint);
    try {
      const index = Math.max(written.indexMsgTimestamp, indexMsgTimestamp.get());
      file.write({ ...written, logicsMsgTimestamp: logicsMsgTimestamp.get(), indexMsgTimestamp: index });
    } finally {
      file.close();
    }
  }

  /** A service ended without being told, or could not end well: nothing can be acknowledged any more. */
  #serviceEnded(outcome: ServiceOutcome): void {
    if (outcome.ok || this.#failure !== undefined) return;
    const { storage, paths } = this.#directory;
    const fence = readStoreFence(storage, paths.fence);
    if (fence !== undefined) this.#fence(fence, "a force failed");
    else if (outcome.code === "ERR_FORCE_FAILED") {
      // The disk would not even take the marker; the fence holds for the life of this store.
      this.#fence({ reason: outcome.message, offset: this.flushedOffset, time: Date.now() }, "a force failed");
    } else this.#fault(outcome.service, outcome.code, outcome.message);
  }

  #fence(fence: StoreFence, what: string): void {
    const message = `${what}; nothing is put until an operator clears it: flushedOffset=${fence.offset} reason=${fence.reason}`;
    this.#fail(
      new MillraceError("ERR_STORE_FENCED", message, { status: "SERVICE_NOT_AVAILABLE", outcome: "unknown" }),
      StoreState.fenced,
    );
  }

  #fault(service: string, code: string, message: string): void {
    const text = `a service ended: service=${service} code=${code} message=${message}`;
    this.#fail(
      new MillraceError("ERR_STORE_FAULTED", text, { status: "SERVICE_NOT_AVAILABLE", outcome: "unknown" }),
      StoreState.faulted,
    );
  }

  #fail(error: MillraceError, state: number): void {
    const { storeState } = this.#pipeline.control.counters;
    this.#failure = error;
    if (storeState.value < state) storeState.set(state);
    this.#put.abandon(error);
    this.#rejectFlushes(error);
  }

  #rejectFlushes(error: MillraceError): void {
    for (const reject of this.#flushes) reject(error);
    this.#flushes.clear();
  }
}

function closed(): MillraceError {
  return new MillraceError("ERR_STORE_CLOSED", "the store is closed: state=closed", { status: "SERVICE_NOT_AVAILABLE" });
}

const DISPATCH_LOOK_MS = 100;

/**
 * Until what recovery found missing in the ConsumeQueues and the index is there again (RocketMQ 4.9: `start` waits for it too), or cannot be made
 * for now: on a full disk the store is opened all the same, and goes on trying.
 */
async function dispatched(pipeline: Pipeline, maxOffset: number, signal: AbortSignal | undefined): Promise<void> {
  const { reputFromOffset, dispatchFailures } = pipeline.control.counters;
  let ended: ServiceOutcome | undefined;
  void pipeline.firstEnd.then((outcome) => {
    ended = outcome;
  });
  for (let at = reputFromOffset.get(); at < maxOffset && dispatchFailures.get() === 0; at = reputFromOffset.get()) {
    if (ended === undefined && signal?.aborted !== true) {
      await Promise.race([reputFromOffset.waitAsync(at), setTimeout(DISPATCH_LOOK_MS)]);
      continue;
    }
    await pipeline.stop();
    await pipeline.destroy();
    if (ended === undefined)
      throw new MillraceError("ERR_ABORTED", `dispatching was aborted: reason=${signal?.reason} offset=${at}`);
    const reason = ended.ok ? "it ended" : ended.message;
    throw new MillraceError("ERR_PIPELINE_START", `a service ended while records were dispatched: offset=${at} reason=${reason}`);
  }
}

/** Gives each recovered queue its slot and its offsets, before any thread looks at them. */
function registerQueues(queues: readonly RecoveredQueue[], topics: TopicTable, table: QueueTableBuffers): void {
  const next = new Float64Array(table.nextQueueOffsets);
  const max = new Float64Array(table.maxQueueOffsets);
  const min = new Float64Array(table.minQueueOffsets);
  for (const queue of queues) {
    const slot = topics.slot(topics.recovered(queue.topic), queue.queueId);
    next[slot] = queue.nextQueueOffset;
    max[slot] = queue.maxQueueOffset;
    min[slot] = queue.minQueueOffset;
  }
}
