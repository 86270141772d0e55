import type { MessageStoreOptions } from "@millrace/store";
import { seededRandom } from "../support/random.js";

/** What one life of the driver is told, as its only argument, in JSON. */
export interface CrashJob {
  readonly options: MessageStoreOptions;
  /** Which life it is; each message carries it, so that a message from an earlier life can be told apart. */
  readonly round: number;
  readonly seed: number;
  /** Counted from the first acknowledgement: a slow machine has its puts too. */
  readonly loadMs: number;
  /** Deletes expired segments now and then. */
  readonly isCleaning: boolean;
  /** Where the driver writes what it sends and what was acknowledged; a killed process's writes stay. */
  readonly ledger: string;
}

/** Where the driver says it is, before it goes on. */
export type CrashMark = "opening" | "open" | "acknowledged" | "closing" | "closed";

export const PRODUCERS = 4;
export const CONSUMER_GROUP = "crash-group";
/** Messages with a delay go here, and are judged by their own rules. */
export const DELAYED_TOPIC = "delayed";
export const DELAYED_QUEUES = 2;
export const DELAY_LEVELS = "1s 1s";
export const SHARED_KEY = "shared";
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

/** Every third message has a key of its own, every thirtieth one that others have too. */
export function keysOf(producer: number, number: number): string[] {
  if (number % 3 !== 0) return [];
  return number % 30 === 0 ? [`${producer}-${number}`, SHARED_KEY] : [`${producer}-${number}`];
}
