import { setImmediate } from "node:timers/promises";
import { MillraceError, shownValue } from "@millrace/format";
import { monotonicMs } from "@millrace/shared-memory";
import { checkCallOptions } from "../config/call-options.js";
import type {
  DamagedPlace,
  IndexScrub,
  IndexScrubCursor,
  LogScrub,
  LogScrubCursor,
  QueueScrub,
  Refusable,
} from "../pipeline/controls.js";
import { Pause } from "./pause.js";

/** After the opening, and between two passes. */
const FIRST_MS = 2000;
const PASS_INTERVAL_MS = 24 * 60 * 60 * 1000;
/** The last index file is read soon after the opening, a MiB at a time: the first key that is added makes its seal say nothing. */
const LAST_INDEX_PAUSE_MS = 5;
const INDEX_START: IndexScrubCursor = { name: "", position: 0, crc: 0 };
/** Before a slice is asked for again for which there was no descriptor. */
const REFUSED_MS = 100;
const MS_PER_SECOND = 1000;

/** How far verifying has come, in bytes of the commit log. */
export interface VerifyProgress {
  readonly bytesVerified: number;
  readonly bytesTotal: number;
}

/** What {@link MessageStore.verify} takes. */
export interface VerifyOptions {
  /** Ends it between two slices. */
  readonly signal?: AbortSignal;
  /** Called some times a second. What it throws ends it, and is what the promise rejects with. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyReport extends VerifyProgress {
  /** Of the commit log; whoever reads such a record gets `ERR_RECORD_CORRUPT`. */
  readonly corrupt: readonly DamagedPlace[];
  /** Paths of index files that the next opening builds again. */
  readonly damagedIndexFiles: readonly string[];
  readonly seconds: number;
}

export interface ScrubStats {
  /** Of the log and the index that were read and checked, by the scrub and on request. */
  readonly bytes: number;
  /** Places that were not as they had been written; one that is found again counts again. */
  readonly damages: number;
}

/** What is scrubbed, by which threads. */
export interface ScrubbedStore {
  /** First byte of the log on disk. */
  minOffset(): number;
  /** Everything before it has been dispatched: whole records. */
  endOffset(): number;
  scrubLog(cursor: LogScrubCursor, limit: number): Promise<LogScrub>;
  scrubIndex(cursor: IndexScrubCursor): Promise<IndexScrub>;
  scrubConsumeQueues(): Promise<Pick<QueueScrub, "isDone" | "isRefused">>;
  onCorrupt(place: DamagedPlace): void;
  onDamagedIndex(path: string): Promise<void>;
  /** A scrub has ended before its time. */
  onFailed(error: unknown): void;
}

/** After a slice. Whether the pass goes on. */
type OnSlice = (bytes: number, offset?: number) => Promise<boolean>;

/**
 * Has the allocate thread read log and index files again and again, so slowly that nobody feels it: a bit that has changed where
 * nobody reads is found, too. Main thread.
 */
export class StoreScrubber {
  readonly #store: ScrubbedStore;
  readonly #bytesPerSecond: number;
  readonly #pause = new Pause();
  #running: Promise<void> | undefined;
  #bytes = 0;
  #damages = 0;

  /** @param bytesPerSecond 0: only on request */
  constructor(store: ScrubbedStore, bytesPerSecond: number) {
    this.#store = store;
    this.#bytesPerSecond = bytesPerSecond;
  }

  start(): void {
    if (this.#bytesPerSecond > 0) this.#running ??= this.#run();
  }

  /** Ends what is under way, between two slices. */
  async close(): Promise<void> {
    this.#pause.stop();
    await this.#running;
  }

  stats(): ScrubStats {
    return { bytes: this.#bytes, damages: this.#damages };
  }

  /** One pass over log, ConsumeQueues and index, as fast as it goes. @throws MillraceError `ERR_ABORTED` */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    checkCallOptions(options);
    return await this.#pause.held(this.#verify(options));
  }

  async #verify({ signal, onProgress }: VerifyOptions): Promise<VerifyReport> {
    const began = monotonicMs();
    const begin = this.#store.minOffset();
    const bytesTotal = this.#store.endOffset() - begin;
    let bytesVerified = 0;
    const goesOn = async (_bytes: number, offset?: number): Promise<boolean> => {
      if (offset !== undefined) {
        bytesVerified = Math.min(bytesTotal, offset - begin);
        onProgress?.({ bytesVerified, bytesTotal });
      }
      await setImmediate();
      const isAborted = signal?.aborted === true;
      if (!isAborted && !this.#pause.isStopped) return true;
      const reason = isAborted ? shownValue(signal.reason) : "the store is being closed";
      throw new MillraceError("ERR_ABORTED", `verifying was aborted: reason=${reason} bytesVerified=${bytesVerified}`);
    };
    await goesOn(0);
    const corrupt = await this.#scrubLog(goesOn);
    for (let isDone = false; !isDone; ) {
      const slice = await this.#store.scrubConsumeQueues();
      await this.#pauseIfRefused(slice);
      await goesOn(0);
      isDone = slice.isDone;
    }
    const damagedIndexFiles = await this.#scrubIndex(goesOn);
    return { bytesVerified, bytesTotal, corrupt, damagedIndexFiles, seconds: (monotonicMs() - began) / MS_PER_SECOND };
  }

  async #run(): Promise<void> {
    const goesOn: OnSlice = (bytes) => this.#pause.for(Math.max(1, (bytes * MS_PER_SECOND) / this.#bytesPerSecond));
    const goesOnSoon: OnSlice = () => this.#pause.for(LAST_INDEX_PAUSE_MS);
    let hasThread = await this.#attempt(() => this.#scrubIndex(goesOnSoon, { ...INDEX_START, isLastOnly: true }));
    for (let pauseMs = FIRST_MS; hasThread && (await this.#pause.for(pauseMs)); pauseMs = PASS_INTERVAL_MS) {
      hasThread = await this.#attempt(() => this.#scrubLog(goesOn));
      if (hasThread && !this.#pause.isStopped) hasThread = await this.#attempt(() => this.#scrubIndex(goesOn));
    }
  }

  /** False when the thread has ended, as the store says itself. What else goes wrong is reported, and the next pass begins again. */
  async #attempt(scrub: () => Promise<unknown>): Promise<boolean> {
    try {
      await scrub();
    } catch (error) {
      if (error instanceof MillraceError && error.code === "ERR_SERVICE_ENDED") return false;
      this.#store.onFailed(error);
    }
    return true;
  }

  async #scrubLog(goesOn: OnSlice): Promise<DamagedPlace[]> {
    const found: DamagedPlace[] = [];
    const limit = this.#store.endOffset();
    for (let cursor: LogScrubCursor = { offset: this.#store.minOffset(), crc: 0, isClean: true }; cursor.offset < limit; ) {
      const slice = await this.#store.scrubLog(cursor, limit);
      this.#bytes += slice.bytes;
      this.#damages += slice.corrupt.length;
      for (const place of slice.corrupt) this.#store.onCorrupt(place);
      found.push(...slice.corrupt);
      cursor = slice.cursor;
      await this.#pauseIfRefused(slice);
      if (!(await goesOn(slice.bytes, cursor.offset))) break;
    }
    return found;
  }

  async #scrubIndex(goesOn: OnSlice, from = INDEX_START): Promise<string[]> {
    const found: string[] = [];
    for (let cursor: IndexScrubCursor | undefined = from; cursor !== undefined; ) {
      const slice: IndexScrub = await this.#store.scrubIndex(cursor);
      this.#bytes += slice.bytes;
      if (slice.damaged !== undefined) {
        this.#damages++;
        await this.#store.onDamagedIndex(slice.damaged);
        found.push(slice.damaged);
      }
      cursor = slice.cursor;
      await this.#pauseIfRefused(slice);
      if (!(await goesOn(slice.bytes))) break;
    }
    return found;
  }

  async #pauseIfRefused({ isRefused }: Refusable): Promise<void> {
    if (isRefused === true) await this.#pause.for(REFUSED_MS);
  }
}
