import { MillraceError } from "@millrace/format";
import {
  type ControlBlock,
  heartbeatWord,
  type PutRingBuffers,
  type ServiceOutcome,
  type ServiceRole,
  ServiceThread,
} from "@millrace/shared-memory";
import type {
  ExpiredDeletion,
  IndexScrub,
  IndexScrubCursor,
  LogScrub,
  LogScrubCursor,
  QueueScrub,
  SegmentDeletion,
  ServiceControls,
  UnitRepair,
} from "./controls.js";
import type { IdleThreads } from "./idle-threads.js";
import { abandonLane, tendLane } from "./lane-descriptor.js";
import type { PipelineData } from "./pipeline-data.js";
import { SERVICES, serviceNames } from "./services.js";
import { StuckWatch } from "./stuck-watch.js";

type Threads = { readonly [S in ServiceRole]: ServiceThread<ServiceControls[S]> };

/** The service threads of {@link SERVICES} and the memory that they share with main. */
export class Pipeline {
  readonly control: ControlBlock<"main">;
  readonly data: PipelineData;
  readonly #threads: Threads;
  #isStopping = false;

  private constructor(control: ControlBlock<"main">, data: PipelineData, threads: Threads) {
    this.control = control;
    this.data = data;
    this.#threads = threads;
  }

  /**
   * @param threads its own from now on
   * @param onReport called with what the services say without being asked: events
   * @throws MillraceError `ERR_PIPELINE_START`; no thread is left then
   */
  static async start(
    threads: IdleThreads,
    data: PipelineData,
    control: ControlBlock<"main">,
    onReport: (report: unknown) => void,
  ): Promise<Pipeline> {
    const { counters } = control;
    const starting = serviceNames(data.config).map(async (name) => {
      const { sleepsOn } = SERVICES[name];
      const { controlBell } = counters;
      const thread = ServiceThread.start<object, PipelineData>({
        data,
        controlBell,
        name,
        thread: threads.of(name),
        sleepsOn: sleepsOn === "putBell" ? control.putBell : counters[sleepsOn],
        onReport,
        unref: data.config.unref,
      });
      return [name, await thread] as const;
    });
    try {
      const pipeline = new Pipeline(control, data, Object.fromEntries(await Promise.all(starting)) as Threads);
      tendLane(control.sendLane, pipeline.#threads.append.ended, pipeline.#threads.replicate?.ended);
      return pipeline;
    } catch (cause) {
      // Those that run are stopped, not cut off: so they take back what they have made ready.
      const results = await Promise.allSettled(starting);
      const running = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      using _watched = watch(control, running);
      for (const [, thread] of running) {
        await thread.stop();
        await thread.destroy();
      }
      throw new MillraceError("ERR_PIPELINE_START", (cause as Error).message, { cause });
    }
  }

  /** The first service that ends although nobody stopped it. */
  get firstEnd(): Promise<ServiceOutcome> {
    return Promise.race(this.#all.map((thread) => thread.ended));
  }

  /** Resolves with the offset below which everything is durable. */
  flushNow(acknowledged: number): Promise<number> {
    return this.#threads.flush.call((control) => control.flushNow(acknowledged));
  }

  /** {@link AppendControl} */
  addRing(buffers: PutRingBuffers): Promise<void> {
    return answered(this.#threads.append.ask((control) => control.addRing(buffers)));
  }

  removeRing(address: number): Promise<boolean> {
    return answered(this.#threads.append.ask((control) => control.removeRing(address)));
  }

  /** {@link ExpiredSegmentsControl}; rejects with `ERR_SERVICE_ENDED`, as do all below. */
  retireSegmentsBelow(offset: number): Promise<void> {
    return answered(this.#threads.allocate.ask((control) => control.retireSegmentsBelow(offset)));
  }

  deleteSegmentsBelow(offset: number): Promise<SegmentDeletion> {
    return answered(this.#threads.allocate.ask((control) => control.deleteSegmentsBelow(offset)));
  }

  /** {@link ConfigFileControl}; rejects with the system's error, too. */
  async writeConfigFile(path: string, content: Uint8Array, logOffset: number): Promise<void> {
    const failure = await answered(this.#threads.allocate.ask((control) => control.writeConfigFile(path, content, logOffset)));
    if (failure !== undefined) throw Object.assign(new Error(failure.message), { code: failure.code });
  }

  async writeOwnFile(path: string, content: Uint8Array): Promise<void> {
    const failure = await answered(this.#threads.allocate.ask((control) => control.writeOwnFile(path, content)));
    if (failure !== undefined) throw Object.assign(new Error(failure.message), { code: failure.code });
  }

  /** {@link LogScrubControl} */
  scrubLog(cursor: LogScrubCursor, limit: number): Promise<LogScrub> {
    return answered(this.#threads.allocate.ask((control) => control.scrubLog(cursor, limit)));
  }

  /** {@link IndexScrubControl} */
  scrubIndex(cursor: IndexScrubCursor): Promise<IndexScrub> {
    return answered(this.#threads.allocate.ask((control) => control.scrubIndex(cursor)));
  }

  /** {@link DispatchControl} */
  isForcedTo(offset: number): Promise<boolean> {
    return answered(this.#threads.dispatch.ask((control) => control.isForcedTo(offset)));
  }

  deleteExpired(minOffset: number): Promise<ExpiredDeletion> {
    return answered(this.#threads.dispatch.ask((control) => control.deleteExpired(minOffset)));
  }

  deleteTopic(topic: string, offset: number): Promise<string | undefined> {
    return answered(this.#threads.dispatch.ask((control) => control.deleteTopic(topic, offset)));
  }

  deleteQueue(slot: number): Promise<string | undefined> {
    return answered(this.#threads.dispatch.ask((control) => control.deleteQueue(slot)));
  }

  /** {@link ScrubControl} */
  scrubConsumeQueues(): Promise<QueueScrub> {
    return answered(this.#threads.dispatch.ask((control) => control.scrubConsumeQueues()));
  }

  repairUnit(slot: number, queueOffset: number): Promise<UnitRepair> {
    return answered(this.#threads.dispatch.ask((control) => control.repairUnit(slot, queueOffset)));
  }

  /** {@link IndexControl} */
  distrustIndexFile(name: string): Promise<void> {
    return answered(this.#threads.dispatch.ask((control) => control.distrustIndexFile(name)));
  }

  /** From the first moment of {@link stop} on. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Until the answer is disposed of, a service that is stuck is given up: it has ended then, with `ERR_SERVICE_STUCK`. */
  watch(names: readonly ServiceRole[] = serviceNames(this.data.config)): Disposable {
    return watch(
      this.control,
      names.map((name) => [name, this.#threads[name]]),
    );
  }

  /** In the order of the table; each service finishes its work, or is given up. The first failure, if any. */
  async stop(): Promise<ServiceOutcome> {
    this.#isStopping = true;
    using _watched = this.watch();
    let first: ServiceOutcome = { ok: true };
    for (const thread of this.#all) {
      const outcome = await thread.stop();
      if (first.ok) first = outcome;
    }
    return first;
  }

  /**
   * Frees the threads. Whoever on main still sleeps on a word is woken for the last time: a `waitAsync` that nobody notifies keeps the
   * whole control block for the life of the process.
   */
  async destroy(): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.destroy()));
    this.control.sendLane.lose();
    await abandonLane(this.control.sendLane);
    for (const counter of Object.values(this.control.counters)) counter.nudge();
  }

  get #all(): readonly ServiceThread<object>[] {
    return serviceNames(this.data.config).map((name) => this.#threads[name] as ServiceThread<object>);
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

function watch(control: ControlBlock<"main">, threads: readonly (readonly [ServiceRole, ServiceThread<object>])[]): Disposable {
  return new StuckWatch(
    threads.map(([name, thread]) => ({
      name,
      heartbeatUs: control.counters[heartbeatWord(name)],
      giveUp: (failure) => thread.giveUp(failure),
    })),
  );
}
