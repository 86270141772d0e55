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
  /** After the last work, or after a failure. */
  onClose(): void | Promise<void>;
}

/** What the control plane (Comlink) can ask of any service. */
export interface AgentControl {
  /** Answers once `onStart` has succeeded. */
  started(): void;
  /** Finish the work there is, close, end the thread's task. */
  stop(): void;
}

/** How a service ended: structured-cloneable, because errors lose their codes between threads. */
export type ServiceOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly service: string; readonly code: string; readonly message: string };
