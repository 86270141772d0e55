import type { JavaStoreJob } from "./java-store-job.js";
import type { ReadPathJob } from "./read-path-job.js";
import type { Workload } from "./workload.js";

/** What a child process is asked to do. Directories exist and are empty; the parent removes them. */
export type Job = WorkloadJob | SeedJob | RollJob | EventLoopJob | MemoryJob | JavaStoreJob | ReadPathJob;

interface WorkloadJob {
  readonly kind: "workload";
  readonly workload: Workload;
}

export type SeedWay = "mapping" | "stream" | "writeSync";

/** One round: a line of 11 bytes, so many times. */
export interface SeedJob {
  readonly kind: "seed";
  readonly way: SeedWay;
  readonly lines: number;
  readonly directory: string;
}

export interface SeedFigure {
  readonly seconds: number;
}

export interface RollJob {
  readonly kind: "roll";
  readonly seconds: number;
  readonly directory: string;
}

export interface RollFigure {
  readonly rolls: number;
  readonly msgPerSec: number;
  readonly nearMessages: number;
  readonly steadyMessages: number;
  /** Within 100 ms of a roll. */
  readonly nearP9999Us: number;
  readonly steadyP999Us: number;
}

export interface EventLoopJob {
  readonly kind: "event-loop";
  readonly seconds: number;
  readonly directory: string;
}

export interface EventLoopFigure {
  readonly maxMsgPerSec: number;
  /** Of the paced run. */
  readonly msgPerSec: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

export interface MemoryJob {
  readonly kind: "memory";
  readonly messages: number;
  readonly directory: string;
}

export interface MemoryFigure {
  readonly messages: number;
  /** RSS without segment mappings and without the ring. */
  readonly peakBytes: number;
  /** Medians of the second and of the last quarter of the run. */
  readonly earlyBytes: number;
  readonly lateBytes: number;
  readonly ringBytes: number;
  /** Most that segment mappings took. */
  readonly mappedPeakBytes: number;
}
