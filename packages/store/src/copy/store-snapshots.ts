import { setTimeout } from "node:timers/promises";
import { MillraceError, type StorePaths, shownValue, storePaths } from "@millrace/format";
import type { Storage, StorageSpec } from "@millrace/mapped-file";
import { monotonicMs } from "@millrace/shared-memory";
import { checkCallOptions } from "../config/call-options.js";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { CallerFailure, ProgressCalls } from "../config/progress-calls.js";
import { RecoveryTaskPool } from "../recover/scan/recovery-task-pool.js";
import { ScanProgress } from "../recover/scan/scan-progress.js";
import { copyFailed } from "./copy-failed.js";
import { checkTarget, copyInto } from "./copy-target.js";
import { COPY_TASKS, type CopyResult, type CopyTask } from "./copy-worker.js";

/** How far a copy has come: bytes of files that are in the target, written or shared with the source. */
export interface CopyProgress {
  readonly bytesCopied: number;
}

/** What {@link MessageStore.snapshot} takes. */
export interface SnapshotOptions {
  /** Ends it; nothing is left of the target then. */
  readonly signal?: AbortSignal;
  /** Called a few times a second, and when all is copied. What it throws ends it as `signal` does, and is what the promise rejects with. */
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** What a snapshot holds: the log between two physical offsets, in bytes, whole. */
export interface SnapshotReport extends CopyProgress {
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly seconds: number;
}

/** The store that is copied, as a snapshot needs it. */
export interface SnapshotSource {
  readonly config: MessageStoreConfig;
  readonly spec: StorageSpec;
  readonly storage: Storage;
  readonly paths: StorePaths;
  /** Everything acknowledged is durable; resolves with its end. Rejects when the store has ended. */
  flush(): Promise<number>;
  /** Everything below it is in ConsumeQueues and index. */
  dispatchedOffset(): number;
  saveOffsets(): Promise<void>;
}

const LOOK_MS = 20;

/** Snapshots of an open store that are under way. */
export class StoreSnapshots {
  readonly #source: SnapshotSource;
  readonly #running = new Map<ScanProgress, Promise<SnapshotReport>>();

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  /** See `MessageStore.snapshot`. */
  async take(directory: string, options: SnapshotOptions = {}): Promise<SnapshotReport> {
    checkCallOptions(options);
    const progress = new ScanProgress();
    try {
      const target = checkTarget(this.#source, directory);
      const running = this.#take(target, options, progress);
      this.#running.set(progress, running);
      return await running;
    } catch (error) {
      throw error instanceof CallerFailure ? error.thrown : copyFailed(error, directory);
    } finally {
      this.#running.delete(progress);
    }
  }

  /** Aborts what is under way, and waits for it. */
  async close(): Promise<void> {
    for (const progress of this.#running.keys()) progress.abort();
    await Promise.allSettled(this.#running.values());
  }

  /** Under a name of its own until it is whole. */
  async #take(target: string, { signal, onProgress }: SnapshotOptions, progress: ScanProgress): Promise<SnapshotReport> {
    const began = monotonicMs();
    using _heeded = progress.heed(signal);
    const goOn = (): void => throwIfAborted(progress, signal);
    goOn();
    const calls = new ProgressCalls(
      () => onProgress?.({ bytesCopied: progress.bytesScanned }),
      () => progress.abort(),
    );
    const pool = new RecoveryTaskPool(COPY_TASKS, 1);
    try {
      const copied = await copyInto(this.#source.storage, target, (prepared) =>
        calls.during(async () => {
          const ends = await this.#copy(prepared, pool, progress, goOn).finally(goOn); // which says why better than a thread
          calls.callNow();
          goOn();
          return ends;
        }),
      );
      return { ...copied, bytesCopied: progress.bytesScanned, seconds: (monotonicMs() - began) / 1000 };
    } finally {
      await pool.close();
    }
  }

  async #copy(
    prepared: string,
    pool: RecoveryTaskPool<CopyTask, CopyResult>,
    progress: ScanProgress,
    goOn: () => void,
  ): Promise<Pick<SnapshotReport, "minOffset" | "maxOffset">> {
    const { config, spec, paths } = this.#source;
    await this.#source.saveOffsets();
    const task = { storage: spec, config, source: paths, target: storePaths(prepared), progress: progress.shared };
    await pool.runAll([{ ...task, maxOffset: undefined }], ignore, ignore);
    const maxOffset = await this.#dispatchedEnd(goOn);
    const [copied] = await pool.runAll([{ ...task, maxOffset }], ignore, ignore);
    return { minOffset: copied?.kind === "log" ? copied.minOffset : 0, maxOffset };
  }

  /** The end of what is durable now, once it is dispatched too. */
  async #dispatchedEnd(goOn: () => void): Promise<number> {
    const maxOffset = await this.#source.flush();
    while (this.#source.dispatchedOffset() < maxOffset) {
      goOn();
      await setTimeout(LOOK_MS);
      await this.#source.flush();
    }
    return maxOffset;
  }
}

/** @throws MillraceError `ERR_ABORTED` */
function throwIfAborted(progress: ScanProgress, signal: AbortSignal | undefined): void {
  if (!progress.isAborted) return;
  const reason = signal?.aborted === true ? shownValue(signal.reason) : "the store is being closed";
  throw new MillraceError("ERR_ABORTED", `the snapshot was aborted: reason=${reason}`);
}

function ignore(): void {}
