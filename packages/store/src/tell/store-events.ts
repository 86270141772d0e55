import { channel } from "node:diagnostics_channel";
import { MillraceError, shownValue } from "@millrace/format";
import { wallClockMs } from "@millrace/shared-memory";
import type { LastErrorStats } from "@millrace/stats";
import type { StoreLogger } from "../config/store-logger.js";
import type { ServiceReport } from "./service-events.js";
import {
  STORE_EVENT_NAMES,
  type StoreEventDetail,
  type StoreEventMap,
  type StoreEventName,
  type StoreEventSink,
  type StoreFailureEvent,
} from "./store-event.js";

/** Of one name and service, kept for the next turn; more is a flood, of which the counts in the stats say how large it is. */
const FLOOD_LIMIT = 1000;
/**
 * Those that come with each bad record, file or connection. The others are changes of state: never dropped, because who misses one
 * believes what is not so any more, and few, because their service sees to it.
 */
const FLOODING: ReadonlySet<StoreEventName> = new Set([
  "error",
  "corrupt",
  "rebuilt",
  "slaveJoined",
  "slaveLeft",
  "behind",
  "diverged",
]);

type Listener = (event: never) => void;

interface PendingEvent {
  readonly name: StoreEventName;
  readonly event: StoreEventMap[StoreEventName];
}

/**
 * What happens in a store by itself, for those who listen: through {@link MessageStore.on}, and through `diagnostics_channel`
 * (`millrace:` and the event's name). A failure comes as `error` too; one that nobody listens to is logged, once per service and code
 * until the service has recovered, and never thrown. Main thread.
 *
 * Events are handed on in a turn of the event loop of their own, in their order: whoever causes one is not called back in the middle
 * of it, and those of the opening wait until the store can be listened to.
 */
export class StoreEvents implements StoreEventSink {
  readonly #store: string;
  readonly #logger: StoreLogger | undefined;
  readonly #listeners = new Map<StoreEventName, Set<Listener>>();
  readonly #lastErrors = new Map<string, LastErrorStats>();
  /** Service → codes. */
  readonly #logged = new Map<string, Set<string>>();
  #pending: PendingEvent[] = [];
  /** Service and name → how many of {@link FLOODING} are pending. */
  readonly #floods = new Map<string, number>();
  #isStarted = false;
  #isScheduled = false;

  /** @param logger by default a warning of the process */
  constructor(storePathRootDir: string, logger?: StoreLogger) {
    this.#store = storePathRootDir;
    this.#logger = logger;
  }

  /** By service. */
  get lastErrors(): LastErrorStats[] {
    return [...this.#lastErrors.values()];
  }

  lastErrorOf(service: string): LastErrorStats | undefined {
    return this.#lastErrors.get(service);
  }

  /** See {@link MessageStore.on}. */
  on<N extends StoreEventName>(name: N, listener: (event: StoreEventMap[N]) => void): () => void {
    if (!STORE_EVENT_NAMES.has(name)) {
      const names = [...STORE_EVENT_NAMES].join(", ");
      throw new MillraceError("ERR_LISTENER_ILLEGAL", `there is no such event, only ${names}: name=${shownValue(name)}`);
    }
    if (typeof listener !== "function")
      throw new MillraceError("ERR_LISTENER_ILLEGAL", `a listener is a function: listener=${shownValue(listener)}`);
    const registered: Listener = (event) => listener(event);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(registered));
    return () => listeners.delete(registered);
  }

  emit<N extends StoreEventName>(name: N, detail: StoreEventDetail<N>): void {
    const event = { store: this.#store, time: wallClockMs(), ...detail } as unknown as StoreEventMap[N];
    if (isFailure(event)) {
      const { service, time, code, message } = event;
      this.#lastErrors.set(service, { service, time, code, message });
    }
    if (FLOODING.has(name) && this.#isFlood(`${event.service} ${name}`)) return;
    this.#pending.push({ name, event });
    if (this.#isStarted) this.#schedule();
  }

  /** What a service thread has posted. */
  readonly onReport = (report: unknown): void => {
    const { name, detail } = report as ServiceReport;
    this.emit(name, detail);
  };

  /** The store is open: from the next turn on, when its opener has had time to listen. */
  start(): void {
    this.#isStarted = true;
    if (this.#pending.length > 0) this.#schedule();
  }

  #isFlood(source: string): boolean {
    const pending = this.#floods.get(source) ?? 0;
    if (pending === FLOOD_LIMIT) return true;
    this.#floods.set(source, pending + 1);
    return false;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#handOn);
  }

  readonly #handOn = (): void => {
    this.#isScheduled = false;
    const pending = this.#pending;
    this.#pending = [];
    this.#floods.clear();
    for (const { name, event } of pending) {
      this.#tell(name, event);
      if (name === "recovered") this.#logged.delete(event.service);
      if (!isFailure(event)) continue;
      if (name !== "error") this.#tell("error", event);
      if ((this.#listeners.get("error")?.size ?? 0) === 0) this.#log(event);
    }
  };

  /** A listener that throws disturbs nobody: the error becomes an uncaught exception, as those of an EventTarget's listeners do. */
  #tell(name: StoreEventName, event: StoreEventMap[StoreEventName]): void {
    channel(`millrace:${name}`).publish(event);
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(event as never);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** A logger that throws is no reason to stop. */
  #log({ service, code, message }: StoreFailureEvent): void {
    const codes = this.#logged.get(service) ?? new Set();
    if (codes.has(code)) return;
    this.#logged.set(service, codes.add(code));
    const text = `millrace: ${code}: ${message} service=${service} store=${this.#store}`;
    try {
      if (this.#logger === undefined) process.emitWarning(text, { type: "MillraceWarning", code });
      else this.#logger.error(text);
    } catch {}
  }
}

function isFailure(event: StoreEventMap[StoreEventName]): event is StoreFailureEvent {
  return "code" in event;
}
