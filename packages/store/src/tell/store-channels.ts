import { type Channel, channel } from "node:diagnostics_channel";
import { wallClockMs } from "@millrace/shared-memory";
import type { StoreEvent } from "./store-event.js";

/** Puts that were answered together, in one turn of the event loop of the thread that puts: they are told of there. */
export interface PutChannelEvent extends StoreEvent {
  /** That have come into the log; a batch of `putMessages` is one. */
  readonly puts: number;
  readonly messages: number;
  /** Of their records. */
  readonly bytes: number;
  /** Messages that were refused, or have failed, since the event before. */
  readonly failed: number;
  /** From a put to its answer, in microseconds. */
  readonly meanUs: number;
}

/** Forces of the log that have succeeded since the event before, a tenth of a second earlier at least. */
export interface ForceChannelEvent extends StoreEvent {
  readonly forces: number;
  /** That became durable. */
  readonly bytes: number;
  /** Everything below it is durable, in bytes of the log. */
  readonly flushedOffset: number;
  /** That a force took, in microseconds. */
  readonly meanUs: number;
}

/** The log goes on in another segment. */
export interface RollChannelEvent extends StoreEvent {
  /** Since the event before, a tenth of a second earlier at least. */
  readonly rolls: number;
  /** First byte of the segment that is written to now. */
  readonly fromOffset: number;
  /** That the longest change of all so far took, in microseconds. */
  readonly longestUs: number;
}

/** A store was opened: what {@link MessageStore.recovery} says of the log. */
export interface RecoveryChannelEvent extends StoreEvent {
  readonly lastExitOk: boolean;
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Where the log was cut; undefined where it was not. */
  readonly cutOffset: number | undefined;
  readonly bytesScanned: number;
  readonly bytesRewritten: number;
  /** Records that are not as they were written. */
  readonly corrupt: number;
  /** That the opening took, threads and dispatching included. */
  readonly durationMs: number;
}

/** By name: what comes through `diagnostics_channel` as `millrace:` and the name, beside the {@link StoreEventMap}, to subscribers only. */
export interface StoreChannelMap {
  readonly put: PutChannelEvent;
  readonly force: ForceChannelEvent;
  readonly roll: RollChannelEvent;
  readonly recovery: RecoveryChannelEvent;
}

type StoreChannelName = keyof StoreChannelMap;

const CHANNELS: { readonly [N in StoreChannelName]: Channel } = {
  put: channel("millrace:put"),
  force: channel("millrace:force"),
  roll: channel("millrace:roll"),
  recovery: channel("millrace:recovery"),
};

/** The names, for what is held against them. @forTests */
export const STORE_CHANNEL_NAMES = Object.keys(CHANNELS) as readonly StoreChannelName[];

/** Whether anybody listens: what an event says need not be found out otherwise. */
export function isHeard(name: StoreChannelName): boolean {
  return CHANNELS[name].hasSubscribers;
}

export function publish<N extends StoreChannelName>(name: N, event: Omit<StoreChannelMap[N], "time">): void {
  CHANNELS[name].publish({ time: wallClockMs(), ...event });
}
