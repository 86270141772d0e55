import type { CounterName, ServiceRole } from "@millrace/shared-memory";

/** One service thread: its entry, and the shared word by which main wakes it. */
export interface Service {
  /** Compiled module whose default export runs on the thread. */
  readonly worker: URL;
  /** What it sleeps on when it has nothing to do. */
  readonly sleepsOn: CounterName | "putBell";
}

/**
 * The service threads in the order of a message's life, which is the order in which they are stopped: append what has been put,
 * force it, dispatch it, then give back what was made ready. A new thread is a row here and a folder beside this one. The types ask
 * for its role in shared-memory's `SERVICE_ROLES`, from which its state and its heartbeat follow, and for what main asks of it in
 * {@link ServiceControls}.
 */
export const SERVICES = {
  append: {
    worker: new URL("../append/append-worker.js", import.meta.url),
    sleepsOn: "putBell",
  },
  flush: {
    worker: new URL("../flush/flush-worker.js", import.meta.url),
    sleepsOn: "syncRequestedOffset",
  },
  dispatch: {
    worker: new URL("../dispatch/dispatch-worker.js", import.meta.url),
    sleepsOn: "wroteOffset",
  },
  allocate: {
    worker: new URL("../allocate/allocate-worker.js", import.meta.url),
    sleepsOn: "segmentWantedOffset",
  },
} as const satisfies Record<ServiceRole, Service>;

export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceRole[];

/** Main and the service threads. */
export const PIPELINE_THREADS = 1 + SERVICE_NAMES.length;
