/**
 * One thread's work as an object; {@link runAgent} owns loop, idling, errors and shutdown. (RocketMQ: `ServiceThread`; Agrona: `Agent`.)
 * The methods run on the agent's own thread; all but `onClose` are synchronous.
 */
export interface Agent {
  onStart(): void;
  /** Does what there is to do, in a bounded slice. Returns 0 when there was nothing. */
  doWork(): number;
  /** Sleeps until there may be work, at most `timeoutMs`. */
  waitForWork(timeoutMs: number): void;
  /** Something in the background needs the thread's event loop now and then. */
  readonly awaitsEvents?: boolean;
  /** After the last work, when it was asked to stop; never after a failure. What others may still need is given back here only. */
  onStop?(): void;
  /** At the end, however it came: lets go of what is this thread's. */
  onClose(): void | Promise<void>;
}

/**
 * The same for a thread whose work comes through its event loop: sockets. {@link runEventAgent} owns its life. Nothing of it blocks for
 * longer than a slice of work.
 */
export interface EventAgent {
  /** @param fail ends the service with this error */
  onStart(fail: (error: unknown) => void): void | Promise<void>;
  /** Some twenty times a second: what is due, and what nobody wakes it for. What it throws ends the service. */
  onTick(): void;
  /** At the end, however it came: lets go of what is this thread's. */
  onClose(): void | Promise<void>;
}

/** What the control plane (Comlink) can ask of any service. */
export interface AgentControl {
  /** Answers once `onStart` has succeeded. */
  started(): void;
  /** Finish the work there is, close, end the thread's task. */
  stop(): void;
}

/** Codes of services themselves. This package depends on nothing: what each means stands in the table of @millrace/format. */
export type ServiceErrorCode = "ERR_SERVICE_DIED" | "ERR_SERVICE_ENDED" | "ERR_SERVICE_FAILED";

/** A service that did not end well. */
export interface FailedService {
  readonly ok: false;
  readonly service: string;
  /** What was thrown says its own, such as a MillraceError's or the system's; otherwise a {@link ServiceErrorCode}. */
  readonly code: string;
  /** One line. */
  readonly message: string;
  readonly stack?: string;
}

/** How a service ended: structured-cloneable, because errors lose their codes between threads. */
export type ServiceOutcome = { readonly ok: true } | FailedService;

/** A failure of its own, which has no code yet, as an error with one. */
export function serviceError(code: ServiceErrorCode, message: string): Error & { readonly code: ServiceErrorCode } {
  return Object.assign(new Error(message), { code });
}

/** @param fallback for what has no code */
export function failedService(service: string, error: unknown, fallback: ServiceErrorCode): FailedService {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : fallback;
  const text = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  return { ok: false, service, code, message: text.replace(/\s+/g, " ").trim(), ...(stack === undefined ? {} : { stack }) };
}
