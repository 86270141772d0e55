import { MillraceError } from "@millrace/format";
import type { StorageSpec } from "@millrace/mapped-file";
import {
  APPEND_MARKS_LENGTH,
  allocatePutRing,
  allocateQueueTable,
  ControlBlock,
  LATENCY_HISTOGRAM_LENGTH,
  monotonicUs,
  type ReadableCounter,
  type ServiceOutcome,
  ServiceThread,
} from "@millrace/shared-memory";
import type { AllocateControl } from "./allocate/allocate-worker.js";
import type { SegmentDeletion } from "./allocate/expired-segments.js";
import type { ExpiredConsumeQueuesControl, ExpiredDeletion } from "./dispatch/expired-consume-queues.js";
import type { FlushControl } from "./flush/flush-worker.js";
import type { MessageStoreConfig } from "./message-store-config.js";
import type { PipelineData } from "./service-task.js";

/** Puts that can be between the ring and their acknowledgement. */
const FRAMES = 32 * 1024;
/** A service that is stuck in a system call is given up after this long. */
const STOP_TIMEOUT_MS = 30_000;
const STOP_LOOK_MS = 500;
const US_PER_MS = 1000;

/** Where the log stands when the pipeline starts. */
export interface PipelineStart {
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly lastStoreTimestamp: number;
  /** Dispatching begins here; the index takes records from `indexFromOffset` on. */
  readonly reputFromOffset: number;
  readonly indexFromOffset: number;
  readonly deletedTopics: ReadonlyMap<string, number>;
}

/** The service threads and the memory that they share with main. Start and stop in the order of a message's life. */
export class Pipeline {
  readonly control: ControlBlock<"main">;
  readonly data: PipelineData;
  readonly #append: ServiceThread<object>;
  readonly #flush: ServiceThread<FlushControl>;
  readonly #dispatch: ServiceThread<ExpiredConsumeQueuesControl>;
  readonly #allocate: ServiceThread<AllocateControl>;
  #isStopping = false;

  private constructor(
    control: ControlBlock<"main">,
    data: PipelineData,
    [append, flush, dispatch, allocate]: readonly [
      ServiceThread<object>,
      ServiceThread<FlushControl>,
      ServiceThread<ExpiredConsumeQueuesControl>,
      ServiceThread<AllocateControl>,
    ],
  ) {
    this.control = control;
    this.data = data;
    this.#append = append;
    this.#flush = flush;
    this.#dispatch = dispatch;
    this.#allocate = allocate;
  }

  static async start(data: PipelineData, control: ControlBlock<"main">): Promise<Pipeline> {
    const { counters } = control;
    const service = <C extends object>(name: string, sleepsOn: ReadableCounter): Promise<ServiceThread<C>> => {
      const file = new URL(`${name}/${name}-worker.js`, import.meta.url);
      return ServiceThread.start<C, PipelineData>({ data, controlBell: counters.controlBell, name, file, sleepsOn });
    };
    const starting = [
      service<object>("append", counters.putRingTail),
      service<FlushControl>("flush", counters.syncRequestedOffset),
      service<ExpiredConsumeQueuesControl>("dispatch", counters.wroteOffset),
      service<AllocateControl>("allocate", counters.segmentWantedOffset),
    ] as const;
    try {
      return new Pipeline(control, data, await Promise.all(starting));
    } catch (cause) {
      // Those that run are stopped, not cut off: so they take back what they have made ready.
      for (const result of await Promise.allSettled(starting)) {
        if (result.status === "rejected") continue;
        await result.value.stop();
        await result.value.destroy();
      }
      throw new MillraceError("ERR_PIPELINE_START", String(cause), { cause });
    }
  }

  /** The first service that ends although nobody stopped it. */
  get firstEnd(): Promise<ServiceOutcome> {
    return Promise.race(this.#services.map((service) => service.ended));
  }

  /** Resolves with the offset below which everything is durable. */
  flushNow(acknowledged: number): Promise<number> {
    return this.#flush.call((control) => control.flushNow(acknowledged));
  }

  /** {@link ExpiredSegmentsControl}; rejects with `ERR_SERVICE_ENDED`, as do all below. */
  retireSegmentsBelow(offset: number): Promise<void> {
    return answered(this.#allocate.ask((control) => control.retireSegmentsBelow(offset)));
  }

  deleteSegmentsBelow(offset: number): Promise<SegmentDeletion> {
    return answered(this.#allocate.ask((control) => control.deleteSegmentsBelow(offset)));
  }

  /** {@link ConfigFileControl}; rejects with the system's error, too. */
  async writeConfigFile(path: string, content: Uint8Array): Promise<void> {
    const failure = await answered(this.#allocate.ask((control) => control.writeConfigFile(path, content)));
    if (failure !== undefined) throw Object.assign(new Error(failure.message), { code: failure.code });
  }

  /** {@link ExpiredConsumeQueuesControl} */
  deleteExpired(minOffset: number): Promise<ExpiredDeletion> {
    return answered(this.#dispatch.ask((control) => control.deleteExpired(minOffset)));
  }

  deleteTopic(topic: string, offset: number): Promise<string | undefined> {
    return answered(this.#dispatch.ask((control) => control.deleteTopic(topic, offset)));
  }

  deleteQueue(slot: number): Promise<string | undefined> {
    return answered(this.#dispatch.ask((control) => control.deleteQueue(slot)));
  }

  /** From the first moment of {@link stop} on. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Appends, then forces, then dispatches, then forgets what is left; each service finishes its work. The first failure, if any. */
  async stop(): Promise<ServiceOutcome> {
    this.#isStopping = true;
    let first: ServiceOutcome = { ok: true };
    const { appendHeartbeatUs, flushHeartbeatUs, dispatchHeartbeatUs, allocateHeartbeatUs } = this.control.counters;
    const heartbeats = [appendHeartbeatUs, flushHeartbeatUs, dispatchHeartbeatUs, allocateHeartbeatUs];
    for (const [i, service] of this.#services.entries()) {
      const outcome = await untilStopped(service, heartbeats[i] as ReadableCounter);
      if (first.ok) first = outcome;
    }
    return first;
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.destroy()));
  }

  get #services(): readonly ServiceThread<object>[] {
    return [this.#append, this.#flush, this.#dispatch, this.#allocate] as ServiceThread<object>[];
  }
}

/** What the service thread says as an error of ours. */
async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw code === "ERR_SERVICE_ENDED" ? new MillraceError(code, message, { cause }) : cause;
  }
}

/** A service that works shows a heartbeat, however long its end takes. */
async function untilStopped(service: ServiceThread<object>, heartbeatUs: ReadableCounter): Promise<ServiceOutcome> {
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<ServiceOutcome>((resolve) => {
    const beganUs = monotonicUs();
    timer = setInterval(() => {
      if (monotonicUs() - Math.max(beganUs, heartbeatUs.get()) < STOP_TIMEOUT_MS * US_PER_MS) return;
      const message = `a service does not stop: service=${service.name}`;
      resolve({ ok: false, service: service.name, code: "ERR_SERVICE_STUCK", message });
    }, STOP_LOOK_MS);
  });
  const outcome = await Promise.race([service.stop(), stuck]);
  clearInterval(timer);
  return outcome;
}

export function pipelineData(config: MessageStoreConfig, storage: StorageSpec, start: PipelineStart): PipelineData {
  const { minOffset, maxOffset, lastStoreTimestamp, reputFromOffset } = start;
  const poolSize = config.transientStorePoolEnable ? config.transientStorePoolSize : 0;
  return {
    config,
    storage,
    control: ControlBlock.create({
      minOffset,
      wroteOffset: maxOffset,
      committedOffset: maxOffset,
      flushedOffset: maxOffset,
      appendForcedOffset: maxOffset,
      syncRequestedOffset: maxOffset,
      allocatedOffset: maxOffset,
      segmentWantedOffset: maxOffset,
      wroteStoreTimestamp: lastStoreTimestamp,
      reputFromOffset,
    }),
    ring: allocatePutRing(config.putRingSize, FRAMES),
    queues: allocateQueueTable(),
    indexFromOffset: start.indexFromOffset,
    deletedTopics: start.deletedTopics,
    appendMarks: new SharedArrayBuffer(APPEND_MARKS_LENGTH),
    pool: Array.from({ length: poolSize }, () => new SharedArrayBuffer(config.mappedFileSizeCommitLog)),
    putToAppendUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    appendToFlushUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    appendForceUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    appendForcedUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    forceUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
    allocateUs: new SharedArrayBuffer(LATENCY_HISTOGRAM_LENGTH),
  };
}
