import type { MessageStoreOptions } from "@millrace/store";
import { seededRandom } from "../random.js";

/** What one life of the driver is told, as its only argument, in JSON. */
export interface CrashJob {
  readonly options: MessageStoreOptions;
  /** Which life it is; each message carries it, so that a message from an earlier life can be told apart. */
  readonly round: number;
  readonly seed: number;
  readonly loadMs: number;
  /** Where the driver writes what it sends and what was acknowledged; a killed process's writes stay. */
  readonly ledger: string;
}

/** Where the driver says it is, before it goes on. */
export type CrashMark = "opening" | "open" | "closing" | "closed";

export const PRODUCERS = 4;
const BODY_MAX = 1500;

/** A producer is a queue. Its message number n gets queue offset n. */
export function producerQueue(producer: number): { topic: string; queueId: number } {
  return { topic: `crash-${producer % 2}`, queueId: producer };
}

/** Tells producer, number and life, and is filled to a length of its own. */
export function bodyOf(producer: number, number: number, round: number): Buffer {
  const head = `${producer}:${number}:${round}:`;
  const length = head.length + seededRandom(number * PRODUCERS + producer)(BODY_MAX);
  return Buffer.from(head.padEnd(length, head));
}
