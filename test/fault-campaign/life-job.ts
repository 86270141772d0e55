import type { MessageStoreOptions } from "@millrace/store";
import type { Finding } from "./finding.js";

/** What a life of a store is to do, in a process of its own. Plain data. */
export type LifeJob = SourceJob | JudgeJob | LoadJob;

/** Makes a store with something of everything in it. */
export interface SourceJob {
  readonly kind: "source";
  readonly options: MessageStoreOptions;
  readonly seed: number;
  readonly ending: SourceEnding;
  readonly ledger: string;
}

/** Closed; killed; or closed, and fenced in another life. */
export type SourceEnding = "closed" | "killed" | "fenced";

/** Opens a store, looks at all of it, puts a little, and looks again. */
export interface JudgeJob {
  readonly kind: "judge";
  readonly options: MessageStoreOptions;
  /** File of the {@link ShownStore} that it has to be. */
  readonly before?: string;
  /** Where to write down what is shown at the end. */
  readonly after: string;
  /** Ledgers of the load lives since `before`, in their order. */
  readonly ledgers: readonly string[];
  /** Ledgers of lives that were acknowledged nothing for good: their messages may be there. */
  readonly sentOnly: readonly string[];
  /** What recovery cuts from here on, and reports, may be gone. */
  readonly durableOffset: number;
  readonly areOffsetsExcepted: boolean;
  /** It need not be fenced as it was before, or not. */
  readonly mayBeFenced: boolean;
  readonly puts: boolean;
}

/** Opens a store, puts and reads until told or killed, writes a ledger, closes. */
export interface LoadJob {
  readonly kind: "load";
  readonly options: MessageStoreOptions;
  readonly seed: number;
  readonly life: number;
  readonly messages: number;
  readonly ledger: string;
  /** An operator ends a fence before. */
  readonly unfence?: boolean;
  /** Of the shim, when one is there: says whether a planned call has failed yet. */
  readonly calls?: string;
}

export interface LifeAnswer {
  readonly findings: readonly Finding[];
  /** The code with which opening was refused. */
  readonly refused?: string;
  /** As `stats().state` said before the close. */
  readonly state?: string;
  /** Dispatching cannot go on for now, and the stats say so: what was dispatched has not been looked at. */
  readonly isBehind?: boolean;
}

/** Where a life is: a kill can wait for it. */
export type LifeMark = "opening" | "open" | "acknowledged" | "closing";
