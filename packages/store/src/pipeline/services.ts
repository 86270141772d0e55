import type { CounterName } from "@millrace/shared-memory";

/** One service thread: its entry, and the shared words by which main wakes it and watches it. */
export interface Service {
  /** Compiled module whose default export runs on the thread. */
  readonly worker: URL;
  /** What it sleeps on when it has nothing to do. */
  readonly sleepsOn: CounterName;
  readonly state: CounterName;
  readonly heartbeatUs: CounterName;
}

/**
 * The service threads in the order of a message's life, which is the order in which they are stopped: append what has been put, force it, dispatch
 * it, then give back what was made ready. A new thread is a row here, a folder beside this one, its words in the control block's descriptor and, if
 * main asks it for something, a line in {@link ServiceControls}.
 */
export const SERVICES = {
  append: {
    worker: new URL("../append/append-worker.js", import.meta.url),
    sleepsOn: "putRingTail",
    state: "appendState",
    heartbeatUs: "appendHeartbeatUs",
  },
  flush: {
    worker: new URL("../flush/flush-worker.js", import.meta.url),
    sleepsOn: "syncRequestedOffset",
    state: "flushState",
    heartbeatUs: "flushHeartbeatUs",
  },
  dispatch: {
    worker: new URL("../dispatch/dispatch-worker.js", import.meta.url),
    sleepsOn: "wroteOffset",
    state: "dispatchState",
    heartbeatUs: "dispatchHeartbeatUs",
  },
  allocate: {
    worker: new URL("../allocate/allocate-worker.js", import.meta.url),
    sleepsOn: "segmentWantedOffset",
    state: "allocateState",
    heartbeatUs: "allocateHeartbeatUs",
  },
} as const satisfies Record<string, Service>;

export type ServiceName = keyof typeof SERVICES;

export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[];

/** Main and the service threads. */
export const PIPELINE_THREADS = 1 + SERVICE_NAMES.length;
