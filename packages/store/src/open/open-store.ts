import { basename } from "node:path";
import { DelayLevels, MillraceError, shownValue, storePaths } from "@millrace/format";
import { isNoSpace, isOutOfDescriptors, SegmentDirectory, type StorageSpec } from "@millrace/mapped-file";
import {
  durableOffset,
  endOffset,
  monotonicMs,
  ServiceFailure,
  type ServiceOutcome,
  StoreState,
  SYSTEM_CLOCK,
  wallClockMs,
} from "@millrace/shared-memory";
import type { ConsumerOffsets } from "../broker/consumer-offsets.js";
import { MessageScheduler } from "../broker/delay/message-scheduler.js";
import { GroupLags } from "../broker/group-lags.js";
import { Transactions } from "../broker/transaction/transactions.js";
import { StoreCleaner } from "../clean/store-cleaner.js";
import { followsMaster } from "../config/ha-options.js";
import type { MessageStoreOptions } from "../config/message-store-options.js";
import { ArrivalSignal } from "../consume/arrival-signal.js";
import { MessageArriving } from "../consume/message-arriving.js";
import { MessageConsumers } from "../consume/message-consumers.js";
import { StoreSnapshots } from "../copy/store-snapshots.js";
import { keepFence } from "../marks/fence-places.js";
import { sealSegmentNote } from "../marks/segment-note.js";
import { StoreCheckpointFile } from "../marks/store-checkpoint.js";
import type { StoreFence } from "../marks/store-fence.js";
import type { DamagedPlace } from "../pipeline/controls.js";
import { IdleThreads } from "../pipeline/idle-threads.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { Message } from "../put/message.js";
import { MessagePutter } from "../put/message-putter.js";
import { PutAll } from "../put/put-all.js";
import type { PutMessageResult } from "../put/put-message-result.js";
import { MessageReader } from "../read/message-reader.js";
import type { RecoveryReport } from "../recover/recovery-report.js";
import { pathUnusable } from "../tell/path-unusable.js";
import { storeClosed } from "../tell/store-closed.js";
import type { StoreEventService } from "../tell/store-event.js";
import { BrokerStore } from "./broker-store.js";
import { tellCorruptRecord, tellDamagedIndex } from "./corrupt-records.js";
import { tellDeliveries } from "./delivery-events.js";
import { CANNOT_BE_OPENED, lockDirectory, type OpenedDirectory, recoverDirectory } from "./open-directory.js";
import { type OpenedPipeline, openPipeline } from "./open-pipeline.js";
import { consumedQueues } from "./open-progress.js";
import { PendingFlushes } from "./pending-flushes.js";
import { ProducerRings } from "./producer-rings.js";
import { publishRecovery, ServiceChannels } from "./service-channels.js";
import { StoreStatsReader } from "./store-stats-reader.js";
import { unitRepairs } from "./unit-repairs.js";

/**
 * A directory that is open: its threads and the parts on main, from the opening to the close, and what becomes of them when a
 * thread ends or a force fails. {@link MessageStore} is its face.
 */
export class OpenStore {
  readonly directory: OpenedDirectory;
  readonly pipeline: Pipeline;
  readonly put: MessagePutter;
  readonly producers: ProducerRings;
  readonly reader: MessageReader;
  readonly cleaner: StoreCleaner;
  readonly arriving: MessageArriving;
  readonly consumers: MessageConsumers;
  readonly schedule: MessageScheduler;
  readonly transactions: Transactions;
  readonly stats: StoreStatsReader;
  readonly consumerOffsets: ConsumerOffsets;
  readonly snapshots: StoreSnapshots;
  readonly recovery: RecoveryReport;
  readonly #arrivals: ArrivalSignal;
  readonly #channels: ServiceChannels;
  readonly #flushes = new PendingFlushes();
  #failure: MillraceError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    directory: OpenedDirectory,
    { pipeline, topics, progress: { consumerOffsets, delayOffsets, delayArrivals, report }, ha }: OpenedPipeline,
  ) {
    this.directory = directory;
    this.pipeline = pipeline;
    this.put = new MessagePutter(directory.config, pipeline.control, pipeline.data, topics);
    this.producers = new ProducerRings(pipeline, topics, this.#wakeSchedule);
    const { config, storage, events } = directory;
    this.put.status.lastDispatchError = () => events.lastErrorOf("dispatch")?.message;
    this.reader = new MessageReader(storage, config, pipeline.control, pipeline.data.queues, topics);
    this.reader.unitVerifier.onBadUnit = unitRepairs(pipeline);
    this.recovery = { ...directory.recovery, progress: report };
    this.reader.commitLog.verifier.onCorrupt = (record) => tellCorruptRecord(events, "read", record);
    consumerOffsets.attach(consumedQueues(pipeline.data.queues, pipeline.control, topics));
    const delayedFrom = (): number | undefined => this.schedule.delayedFrom();
    const onDamage = {
      onCorrupt: (place: DamagedPlace) => tellCorruptRecord(events, "scrub", place),
      onDamagedIndex: async (path: string) => {
        directory.lock.touch(); // the next opening believes no note, wherever bits may have changed
        await pipeline.distrustIndexFile(basename(path)).catch(() => {}); // the thread has ended, and has not sealed what it has written
        tellDamagedIndex(events, "scrub", path, "the CRC does not match");
      },
    };
    this.cleaner = new StoreCleaner(
      directory,
      pipeline,
      this.put,
      this.producers,
      this.reader,
      consumerOffsets,
      delayedFrom,
      onDamage,
    );
    this.#arrivals = new ArrivalSignal(pipeline.control, pipeline.data.queues, topics);
    const levels = DelayLevels.parse(config.messageDelayLevel);
    this.arriving = new MessageArriving(this.reader.commitLog, pipeline.control, this.#arrivals, levels);
    this.consumers = new MessageConsumers(this.reader, this.#arrivals);
    this.consumerOffsets = consumerOffsets;
    const broker = new BrokerStore(this.reader, this.put, pipeline.control, () => this.flush());
    const { flushDelayOffsetInterval } = config;
    this.schedule = new MessageScheduler(levels, delayOffsets, broker, flushDelayOffsetInterval, SYSTEM_CLOCK, delayArrivals);
    tellDeliveries(events, this.schedule);
    this.transactions = new Transactions(broker, this.consumerOffsets);
    this.snapshots = new StoreSnapshots({
      ...directory,
      flush: () => this.flush(),
      dispatchedOffset: () => pipeline.control.counters.reputFromOffset.get(),
      saveOffsets: () => this.#saveOffsets(),
    });
    const lags = new GroupLags(topics, this.reader.consumeQueues.columns);
    this.stats = new StoreStatsReader(directory, pipeline, this.put, this.producers, {
      get: () => this.reader.stats(),
      schedule: () => this.schedule.stats(),
      clean: () => this.cleaner.files.stats(),
      scrub: () => this.cleaner.scrubber.stats(),
      lastErrors: () => events.lastErrors,
      consumers: () => lags.look(consumerOffsets),
      ha: () => ha.stats,
    });
    this.#begin(directory);
    void pipeline.firstEnd.then((outcome) => this.#serviceEnded(outcome));
    void this.#hearForceAlarm();
    this.#channels = new ServiceChannels(pipeline);
    events.start();
  }

  /** See {@link MessageStore.open}. Nothing is left behind when it fails. */
  static async open(options: MessageStoreOptions, storage: StorageSpec): Promise<OpenStore> {
    const beganMs = monotonicMs();
    const locked = lockDirectory(options, storage);
    let threads: IdleThreads | undefined;
    try {
      threads = await IdleThreads.start(locked.config);
      const directory = await recoverDirectory(locked, options);
      const open = new OpenStore(directory, await openPipeline(directory, threads, options.signal));
      publishRecovery(locked.config.storePathRootDir, open.recovery, beganMs);
      return open;
    } catch (error) {
      await threads?.end();
      locked.lock.release();
      throw pathUnusable(error, CANNOT_BE_OPENED, locked.paths.root);
    }
  }

  /** Of a slave that follows nobody the directory may be a master's: what that has delivered is known, and not to be judged. */
  #startSchedule(): void {
    const { config } = this.directory;
    if (config.brokerRole !== "SLAVE") this.schedule.start();
    else if (followsMaster(config)) this.schedule.follow(() => this.pipeline.control.counters.wroteStoreTimestamp.get());
  }

  async #saveOffsets(): Promise<void> {
    await this.consumerOffsets.persist();
    await this.schedule.save();
  }

  /** One that was fenced before it was opened is not running for a moment: what looks at the state goes by it. */
  #begin({ fence }: OpenedDirectory): void {
    if (fence !== undefined) return this.#fence("store", fence, "the store was fenced before it was opened");
    this.pipeline.control.counters.storeState.set(StoreState.running);
    this.#startSchedule();
  }

  get maxPhysicalOffset(): number {
    return endOffset(this.pipeline.control.counters);
  }

  get minPhysicalOffset(): number {
    return this.pipeline.control.counters.minOffset.get();
  }

  get flushedOffset(): number {
    return durableOffset(this.pipeline.control.counters);
  }

  get dispatchBehindBytes(): number {
    return Math.max(0, this.maxPhysicalOffset - this.pipeline.control.counters.reputFromOffset.get());
  }

  /** A delayed message wakes the schedule when its put has been answered. */
  putMessage(message: Message): Promise<PutMessageResult> {
    const put = this.put.putMessage(message);
    if (message?.delayTimeLevel) put.then(this.#wakeSchedule, this.#wakeSchedule);
    return put;
  }

  async putAll(messages: readonly Message[]): Promise<PutMessageResult[]> {
    this.checkOpen();
    const put = PutAll.put(this.put, messages);
    if (Array.isArray(messages) && messages.some((message) => message?.delayTimeLevel))
      put.then(this.#wakeSchedule, this.#wakeSchedule);
    return await put;
  }

  /** See {@link MessageStore.drained}. */
  async drained(unanswered: number): Promise<void> {
    if (!Number.isSafeInteger(unanswered) || unanswered < 0) {
      throw new MillraceError("ERR_LIMIT_ILLEGAL", `an integer of at least 0 is needed: unanswered=${shownValue(unanswered)}`);
    }
    await this.put.drained(unanswered);
  }

  readonly #wakeSchedule = (): void => this.schedule.wake();

  async flush(): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    this.checkOpen();
    const acknowledged = this.maxPhysicalOffset;
    return await this.#flushes.add(acknowledged, this.pipeline.flushNow(acknowledged));
  }

  /** @throws MillraceError `ERR_STORE_CLOSED` from the moment of the close on */
  checkOpen(): void {
    if (this.#closing !== undefined) throw storeClosed();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { storeState } = this.pipeline.control.counters;
    using _watched = this.pipeline.watch(); // a service that is stuck may owe answers that are waited for below
    this.schedule.stop();
    this.put.refuse(this.#failure ?? storeClosed());
    this.consumers.close();
    this.arriving.close();
    const failures: unknown[] = [];
    // Each is done, whatever becomes of the others.
    const attempt = async (step: () => unknown): Promise<void> => {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(() => this.snapshots.close());
    await attempt(() => this.cleaner.close());
    if (this.#failure === undefined) await attempt(() => this.producers.refuse(storeClosed()));
    if (this.#failure === undefined) await attempt(() => this.put.drained());
    if (storeState.value < StoreState.closing) storeState.set(StoreState.closing);
    await attempt(() => this.#stopPipeline());
    this.producers.close(this.#failure ?? storeClosed());
    if (this.#failure === undefined) await attempt(() => this.schedule.close());
    if (this.#failure === undefined) await attempt(() => this.transactions.close());
    await attempt(() => this.consumerOffsets.close());
    if (this.#failure === undefined) await attempt(() => this.#sealLastSegment());
    const isComplete = this.#failure === undefined && failures.length === 0 && this.dispatchBehindBytes === 0;
    if (isComplete) await attempt(() => this.directory.abort.remove());
    this.#flushes.reject(this.#failure ?? storeClosed());
    this.put.close();
    this.#arrivals.close();
    this.#channels.close();
    await attempt(() => this.reader.close());
    await attempt(() => this.#keepFence());
    await attempt(() => this.pipeline.destroy());
    await attempt(() => this.directory.lock.release());
    storeState.set(StoreState.closed);
    // The first cause first: who finds the store fenced need not hear that its offsets could not be saved either.
    const [failure] = this.#failure !== undefined && this.directory.fence === undefined ? [this.#failure] : failures;
    if (failure === undefined) return;
    throw pathUnusable(failure, "not everything could be saved when the store was closed", this.directory.paths.root);
  }

  async #stopPipeline(): Promise<void> {
    const outcome = await this.pipeline.stop();
    if (!outcome.ok) this.#serviceEnded(outcome);
    if (this.#failure !== undefined) return;
    this.#flushes.end(this.flushedOffset, storeClosed()); // nobody answers them any more, and the schedule may wait for one
    this.#completeCheckpoint();
  }

  /** The flusher, whose file it is, has ended before the dispatcher had forced its last. */
  #completeCheckpoint(): void {
    const { storage, paths } = this.directory;
    const { logicsMsgTimestamp, indexMsgTimestamp } = this.pipeline.control.counters;
    try {
      StoreCheckpointFile.complete(storage, paths.checkpoint, logicsMsgTimestamp.get(), indexMsgTimestamp.get());
    } catch (error) {
      if (isNoSpace(error) || isOutOfDescriptors(error)) return; // older times: RocketMQ recovers more
      const { code = "ERR_CHECKPOINT_ILLEGAL", message } = error as NodeJS.ErrnoException;
      this.#fault("checkpoint", code, message, error);
    }
  }

  /** Its writers have ended: the next opening need not read it unless its file changes. */
  #sealLastSegment(): void {
    const { config, storage, paths } = this.directory;
    const segments = new SegmentDirectory(paths.commitLog, config.mappedFileSizeCommitLog);
    const endOffset = this.maxPhysicalOffset;
    const fromOffset = segments.startOf(endOffset);
    const modifiedMs = storage.entry(segments.pathOf(fromOffset))?.modifiedMs;
    if (modifiedMs !== undefined) sealSegmentNote(storage, paths.segmentNotes, fromOffset, { endOffset, modifiedMs });
  }

  /** A service ended without being asked, or could not end well: nothing can be acknowledged any more. */
  #serviceEnded(outcome: ServiceOutcome): void {
    if (outcome.ok || this.#failure !== undefined) return;
    if (this.pipeline.control.forceAlarm.isRaised) this.#forceFailed();
    else this.#fault(outcome.service as StoreEventService, outcome.code, outcome.message, new ServiceFailure(outcome));
  }

  /** Before the thread whose force it was has written the marker, and ended. */
  async #hearForceAlarm(): Promise<void> {
    const { forceAlarm } = this.pipeline.control;
    await forceAlarm.whenRaised();
    if (forceAlarm.isRaised) this.#forceFailed();
  }

  /** The last chance for the marker, while the directory is still ours. */
  #keepFence(): void {
    const { forceAlarm } = this.pipeline.control;
    forceAlarm.nudge();
    if (!forceAlarm.isRaised) return;
    const { storage, paths } = this.directory;
    keepFence(storage, paths, this.flushedOffset, forceAlarm.cause.reason);
  }

  #forceFailed(): void {
    if (this.#failure !== undefined) return;
    const { service, reason } = this.pipeline.control.forceAlarm.cause;
    this.#fence(service as StoreEventService, { reason, offset: this.flushedOffset, time: wallClockMs() }, "a force failed");
  }

  #fence(service: StoreEventService, fence: StoreFence, what: string): void {
    const { root, commitLog } = this.directory.paths;
    const log = commitLog === storePaths(root).commitLog ? "" : ` --storePathCommitLog ${commitLog}`;
    const remedy = `no puts until the disk has been looked at and "millrace unfence ${root}${log}" been run`;
    const message = `${what}; ${remedy}: flushedOffset=${fence.offset} reason=${fence.reason}`;
    this.directory.events.emit("fenced", { service, code: "ERR_STORE_FENCED", message });
    this.#fail(
      new MillraceError("ERR_STORE_FENCED", message, { status: "SERVICE_NOT_AVAILABLE", outcome: "unknown" }),
      StoreState.fenced,
    );
  }

  #fault(service: StoreEventService, code: string, message: string, cause: unknown): void {
    const text = `a service ended: service=${service} code=${code} message=${message}`;
    const stack = cause instanceof Error && cause.stack !== undefined ? { stack: cause.stack } : {};
    this.directory.events.emit("faulted", { service, code: "ERR_STORE_FAULTED", message: text, ...stack });
    this.#fail(
      new MillraceError("ERR_STORE_FAULTED", text, { status: "SERVICE_NOT_AVAILABLE", outcome: "unknown", cause }),
      StoreState.faulted,
    );
  }

  #fail(error: MillraceError, state: number): void {
    const { storeState } = this.pipeline.control.counters;
    this.#failure = error;
    if (storeState.value < state) storeState.set(state);
    this.schedule.stop();
    this.put.abandon(error);
    this.producers.abandon(error);
    this.consumers.fail(error);
    this.#flushes.reject(error);
  }
}
