import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { MillraceError, type StorePaths, shownValue, storePaths } from "@millrace/format";
import type { Storage, StorageSpec } from "@millrace/mapped-file";
import { monotonicMs } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { throwIfAborted } from "../recover/scan/abort-check.js";
import { RecoveryTaskPool } from "../recover/scan/recovery-task-pool.js";
import { ScanProgress } from "../recover/scan/scan-progress.js";
import { copyFailed } from "./copy-failed.js";
import { checkTarget, makePrepared, removePrepared } from "./copy-target.js";
import { COPY_TASKS } from "./copy-worker.js";

/** How far a copy has come: bytes of files that are in the target, written or shared with the source. */
export interface CopyProgress {
  readonly bytesCopied: number;
}

/** What {@link MessageStore.snapshot} takes. */
export interface SnapshotOptions {
  /** Ends it; nothing is left of the target then. */
  readonly signal?: AbortSignal;
  /** Called a few times a second, and when the copy is in place. What it throws becomes an uncaught exception. */
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
const PROGRESS_INTERVAL_MS = 200;

/** Snapshots of an open store that are under way. */
export class StoreSnapshots {
  readonly #source: SnapshotSource;
  readonly #running = new Map<ScanProgress, Promise<SnapshotReport>>();

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  /** See `MessageStore.snapshot`. */
  async take(directory: string, options: SnapshotOptions = {}): Promise<SnapshotReport> {
    const progress = new ScanProgress();
    try {
      const target = checkTarget(this.#source, directory);
      throwIfAborted(options.signal);
      const running = this.#take(target, options, progress);
      this.#running.set(progress, running);
      return await running;
    } catch (error) {
      throw copyFailed(error, String(directory));
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
    const { config, spec, storage, paths } = this.#source;
    const prepared = makePrepared(storage, target);
    using _heeded = progress.heed(signal);
    const timer = setInterval(() => onProgress?.({ bytesCopied: progress.bytesScanned }), PROGRESS_INTERVAL_MS);
    const pool = new RecoveryTaskPool(COPY_TASKS, 1);
    try {
      await this.#source.saveOffsets();
      const task = { storage: spec, config, source: paths, target: storePaths(prepared), progress: progress.shared };
      await pool.runAll([{ ...task, maxOffset: undefined }], ignore, ignore);
      const maxOffset = await this.#dispatchedEnd(progress, signal);
      const [copied] = await pool.runAll([{ ...task, maxOffset }], ignore, ignore);
      const minOffset = copied?.kind === "log" ? copied.minOffset : 0;
      storage.rename(prepared, target);
      storage.syncDirectory(dirname(target));
      const bytesCopied = progress.bytesScanned;
      queueMicrotask(() => onProgress?.({ bytesCopied })); // the copy is in place: what the user throws does not say otherwise
      return { minOffset, maxOffset, bytesCopied, seconds: (monotonicMs() - began) / 1000 };
    } catch (error) {
      removePrepared(storage, prepared);
      throw error;
    } finally {
      clearInterval(timer);
      await pool.close();
    }
  }

  /** The end of what is durable now, once it is dispatched too. */
  async #dispatchedEnd(progress: ScanProgress, signal: AbortSignal | undefined): Promise<number> {
    const maxOffset = await this.#source.flush();
    while (this.#source.dispatchedOffset() < maxOffset) {
      if (progress.isAborted)
        throw new MillraceError("ERR_ABORTED", `the snapshot was aborted: reason=${shownValue(signal?.reason)}`);
      await setTimeout(LOOK_MS);
      await this.#source.flush();
    }
    return maxOffset;
  }
}

function ignore(): void {}
