import type { CounterName, ServiceRole } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";

/** One service thread: its entry, and the shared word by which main wakes it. */
export interface Service {
  /** Compiled module whose default export runs on the thread. */
  readonly worker: URL;
  /** What it sleeps on when it has nothing to do. */
  readonly sleepsOn: CounterName | "putBell";
  /** Of a service that not every store has. */
  readonly isWanted?: (config: MessageStoreConfig) => boolean;
}

/**
 * The service threads in the order of a message's life, which is the order in which they are stopped: append what has been put,
 * force it, dispatch it, give back what was made ready; then no slave waits for anything. A new thread is a row here and a folder
 * beside this one. The types ask for its role in shared-memory's `SERVICE_ROLES`, from which its state and its heartbeat follow, and
 * for what main asks of it in {@link ServiceControls}.
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
  replicate: {
    worker: new URL("../replicate/replicate-worker.js", import.meta.url),
    sleepsOn: "sendRequestedOffset",
    isWanted: ({ haListenPort }) => haListenPort >= 0,
  },
} as const satisfies Record<ServiceRole, Service>;

/** The services that every store has. @forTests */
export const SERVICE_NAMES = (Object.keys(SERVICES) as ServiceRole[]).filter((name) => wanted(name) === undefined);

/** Main and their threads. */
export const PIPELINE_THREADS = 1 + SERVICE_NAMES.length;

/** The services of a store with these options, in their order. */
export function serviceNames(config: MessageStoreConfig): ServiceRole[] {
  return (Object.keys(SERVICES) as ServiceRole[]).filter((name) => wanted(name)?.(config) ?? true);
}

function wanted(name: ServiceRole): Service["isWanted"] {
  return (SERVICES[name] as Service).isWanted;
}
