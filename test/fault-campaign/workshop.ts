import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import type { MessageStoreOptions } from "@millrace/store";
import { readFlushedWatermark } from "#store/marks/flushed-watermark.js";
import { KIB } from "../support/temporary-store.js";
import { copyStore } from "./copied-store.js";
import type { JudgeJob, SourceEnding } from "./life-job.js";
import { type LifeEnvironment, type LifeOutcome, LifeProcess } from "./life-process.js";
import { SOURCE_DELAY_LEVELS } from "./source-life.js";

const MEMORY = "/dev/shm";

/** Small files, so that there are some of each kind. */
export const CAMPAIGN_OPTIONS: MessageStoreOptions = {
  mappedFileSizeCommitLog: 16 * KIB,
  mappedFileSizeConsumeQueue: 400,
  maxHashSlotNum: 100,
  maxIndexNum: 200,
  maxMessageSize: 4 * KIB,
  putRingSize: 128 * KIB,
  messageDelayLevel: SOURCE_DELAY_LEVELS,
  flushDelayOffsetInterval: 100,
};

/** A store that nobody has damaged yet. */
export interface SourceStore {
  readonly root: string;
  /** File of what it shows. */
  readonly shown: string;
  /** Everything below it is known to be durable. */
  readonly durableOffset: number;
}

/** Where cases are made: source stores, directories for copies of them, processes for lives. */
export class Workshop implements AsyncDisposable {
  readonly directory: string;
  /** Inode numbers do not come again there. */
  readonly isInMemory: boolean;
  /** Of every life here. */
  readonly environment: LifeEnvironment;
  readonly #idle: LifeProcess[] = [];
  readonly #sources = new Map<SourceEnding, Promise<SourceStore>>();
  /** Whose sources these lives are on. */
  #owner: Workshop | undefined;
  readonly #seed: number;
  #directories = 0;

  constructor(seed: number, environment: LifeEnvironment = {}) {
    this.isInMemory = existsSync(MEMORY);
    this.directory = mkdtempSync(join(this.isInMemory ? MEMORY : tmpdir(), "millrace-faults-"));
    this.#seed = seed;
    this.environment = environment;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.map((process) => process[Symbol.asyncDispose]()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Another one whose lives have something special about them, on the same source stores. */
  under(environment: LifeEnvironment): Workshop {
    const workshop = new Workshop(this.#seed, environment);
    workshop.#owner = this;
    return workshop;
  }

  source(ending: SourceEnding): Promise<SourceStore> {
    if (this.#owner !== undefined) return this.#owner.source(ending);
    const known = this.#sources.get(ending) ?? this.#makeSource(ending);
    this.#sources.set(ending, known);
    return known;
  }

  /** An empty directory for one case, gone when the work is done. */
  async inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
    const directory = join(this.directory, `case-${this.#directories++}`);
    mkdirSync(directory);
    try {
      return await work(directory);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** A process for lives without anything special about it; given back when the work is done. */
  async inProcess<T>(work: (process: LifeProcess) => Promise<T>): Promise<T> {
    const process = this.#idle.pop() ?? new LifeProcess(this.environment);
    try {
      return await work(process);
    } finally {
      this.#idle.push(process);
    }
  }

  /** Two lives on a copy of a source that something was done to: the second finds what the first one has made of it. */
  async judgeTwice(source: SourceStore, directory: string, excuses: Partial<JudgeJob>): Promise<LifeOutcome[]> {
    const first = this.judgeJob(directory, { before: source.shown, durableOffset: source.durableOffset, ...excuses });
    return await this.inProcess(async (process) => {
      const outcome = await process.live(first);
      if (outcome.end !== "answered" || outcome.answer.refused !== undefined) return [outcome];
      // A life that could not dispatch has shown nothing.
      const second = this.judgeJob(directory, { before: outcome.answer.isBehind ? source.shown : first.after, ...excuses });
      return [outcome, await process.live(second)];
    });
  }

  judgeJob(directory: string, changes: Partial<JudgeJob>): JudgeJob {
    return {
      kind: "judge",
      options: { ...CAMPAIGN_OPTIONS, storePathRootDir: join(directory, "store") },
      after: join(directory, `shown-${this.#directories++}.json`),
      ledgers: [],
      sentOnly: [],
      durableOffset: Number.POSITIVE_INFINITY,
      areOffsetsExcepted: false,
      mayBeFenced: false,
      puts: true,
      ...changes,
    };
  }

  async #makeSource(ending: SourceEnding): Promise<SourceStore> {
    const directory = join(this.directory, ending);
    const copy = join(directory, "copy");
    mkdirSync(copy, { recursive: true });
    const root = join(directory, "store");
    const ledger = join(directory, "ledger");
    const options = { ...CAMPAIGN_OPTIONS, storePathRootDir: root };
    // A control must not touch what it is to damage.
    await using process = new LifeProcess();
    const made = await process.live({ kind: "source", options, seed: this.#seed, ending, ledger });
    if (made.end !== (ending === "killed" ? "killed" : "answered")) throw new Error(`no source store: ${JSON.stringify(made)}`);
    copyStore(root, join(copy, "store"));
    const shown = join(directory, "shown.json");
    const judged = await process.live(this.judgeJob(copy, { ledgers: [ledger], puts: false, after: shown }));
    if (judged.end !== "answered" || judged.answer.findings.length > 0)
      throw new Error(`the source store is not as it was made: ${JSON.stringify(judged)}`);
    const watermark = readFlushedWatermark(createStorage({ kind: "real" }), storePaths(root).watermark);
    return { root, shown, durableOffset: watermark?.flushedOffset ?? 0 };
  }
}
