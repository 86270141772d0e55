import type { MillraceErrorCode } from "@millrace/format";

/** Who says it: a service thread, or a part of the main thread. */
export type StoreEventService =
  | "append"
  | "flush"
  | "dispatch"
  | "allocate"
  | "replicate"
  | "store"
  | "recover"
  | "put"
  | "read"
  | "scrub"
  | "clean"
  | "schedule"
  | "config"
  | "checkpoint";

/** Something that happened in a store by itself, without a call that could answer. Plain data. */
export interface StoreEvent {
  /** The store's directory: `storePathRootDir`. */
  readonly store: string;
  readonly service: StoreEventService;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** A failure. Whatever its name, it comes as `error` too. */
export interface StoreFailureEvent extends StoreEvent {
  readonly code: MillraceErrorCode;
  /** One line, which ends in `name=value`. */
  readonly message: string;
  /** Where it was thrown, if it was. */
  readonly stack?: string;
}

/**
 * Dispatching stands still: readers see nothing new before it goes on. It is tried again every second, and this comes each time. Or a
 * user's dispatcher has thrown when it was to force what it has handled: then only that is tried again, and readers wait for nothing.
 */
export interface DispatchFailedEvent extends StoreFailureEvent {
  /** The `name` of the dispatcher that threw; undefined when the record could not even be read. */
  readonly dispatcher?: string;
  /** Physical offset of the record, in bytes; of the end of all records that were to be forced. */
  readonly physicalOffset: number;
  /** Attempts that have failed one after another. */
  readonly failures: number;
}

/** Bytes on disk are not what was written there. */
export interface CorruptEvent extends StoreFailureEvent {
  readonly path?: string;
  /** Of the record, in bytes of the commit log. */
  readonly physicalOffset?: number;
  readonly length?: number;
  readonly topic?: string;
  readonly queueId?: number;
}

/** A file that follows from the commit log has been built from it again. */
export interface RebuiltEvent extends StoreEvent {
  readonly path: string;
  /** What was wrong with it. */
  readonly reason: string;
}

/** Of a connection between a master and a slave. */
export interface ReplicaEvent extends StoreEvent {
  /** `host:port` of the other side, as the system says it. */
  readonly address: string;
}

/** A slave has asked for the log. */
export interface SlaveJoinedEvent extends ReplicaEvent {
  /** Physical offset from which it is sent, in bytes. */
  readonly fromOffset: number;
}

export interface SlaveLeftEvent extends ReplicaEvent {
  /** Why, in words; it comes as a failure too where it was one. */
  readonly reason: string;
}

/** A slave that was in sync is behind by more than `haMaxGapNotInSync`. (RocketMQ: `slaveFallBehindMuch`.) */
export interface SlaveBehindEvent extends ReplicaEvent {
  readonly behindBytes: number;
}

/** A master and a slave do not hold the same log. */
export interface DivergedEvent extends StoreFailureEvent {
  readonly address: string;
}

/** By name: what {@link MessageStore.on} hands to a listener. */
export interface StoreEventMap {
  /** Something failed in the background: all of the failures below, and those that have no name of their own. */
  readonly error: StoreFailureEvent;
  /** A force has failed, or had failed before the store was opened: no puts are taken until an operator has looked. */
  readonly fenced: StoreFailureEvent;
  /** A service thread has ended: no puts are taken until the store is opened again. */
  readonly faulted: StoreFailureEvent;
  readonly dispatchFailed: DispatchFailedEvent;
  /** No bytes could be made ready for the log, or the disk is fuller than `diskSpaceWarningLevelRatio`: puts are refused. */
  readonly diskFull: StoreFailureEvent;
  /** What failed works again: `service` dispatches, takes puts, or delivers in all delay levels. */
  readonly recovered: StoreEvent;
  readonly corrupt: CorruptEvent;
  readonly rebuilt: RebuiltEvent;
  readonly slaveJoined: SlaveJoinedEvent;
  readonly slaveLeft: SlaveLeftEvent;
  readonly behind: SlaveBehindEvent;
  readonly diverged: DivergedEvent;
}

/** What {@link MessageStore.on} takes. */
export type StoreEventName = keyof StoreEventMap;

/** What the place where it happens says of an event; store and time are added. */
export type StoreEventDetail<N extends StoreEventName> = N extends StoreEventName
  ? Omit<StoreEventMap[N], "store" | "time">
  : never;

/** Where what happens is said: on main {@link StoreEvents}, on a service thread {@link ServiceEvents}. */
export interface StoreEventSink {
  emit<N extends StoreEventName>(name: N, detail: StoreEventDetail<N>): void;
}

/** The names, for what is checked at the call. */
export const STORE_EVENT_NAMES: ReadonlySet<string> = new Set(
  Object.keys({
    error: true,
    fenced: true,
    faulted: true,
    dispatchFailed: true,
    diskFull: true,
    recovered: true,
    corrupt: true,
    rebuilt: true,
    slaveJoined: true,
    slaveLeft: true,
    behind: true,
    diverged: true,
  } satisfies Record<StoreEventName, true>),
);
