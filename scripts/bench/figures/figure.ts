import type { JavaPeer } from "../java/java-peer.js";
import type { BenchOptions } from "./bench-options.js";
import type { Goal } from "./goal.js";
import type { Results } from "./results.js";

/** Measures something once and adds it to the results. */
export type Task = (results: Results) => Promise<void>;
/** Whether the user asked for the part of this name. */
export type Wants = (name: string) => boolean;

/** What tasks are made from. */
export interface Bench {
  readonly options: BenchOptions;
  /** Exists; each task makes a directory of its own below it. */
  readonly directory: string;
  readonly wants: Wants;
  /** undefined where there is none. */
  readonly java: JavaPeer | undefined;
}

/** Something that is measured, judged and reported: a row of {@link FIGURES}. */
export interface Figure {
  /** As `--only` takes it. */
  readonly name: string;
  /** As `--help` says it. */
  readonly meaning: string;
  /** Names below it that `--only` takes as well. */
  readonly parts?: readonly string[];
  /** Tasks of one round; rounds interleave. None when it is not wanted. */
  readonly round?: (bench: Bench) => Task[];
  /** Tasks after the rounds, for what takes long. None when it is not wanted. */
  readonly once?: (bench: Bench) => Task[];
  readonly goals?: (results: Results) => Goal[];
  /** Its heading in the report; neighbours of one heading share it. Without one the lines have headings of their own. */
  readonly heading?: string;
  /** Its lines in the report; none when it was not measured. */
  readonly lines?: (results: Results) => string[];
}
