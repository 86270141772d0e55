import { failedService, InvariantError, monotonicMs } from "@millrace/shared-memory";
import type { StoreEventSink } from "../tell/store-event.js";
import type { CommitLogDispatcher } from "./commit-log-dispatcher.js";

/** After a failure, at least: a database that is away for a moment comes back. */
const RETRY_MS = 1000;

/**
 * Has the user's dispatchers make durable what they have handled. Unlike a force of the store's own files, one that throws is tried again:
 * what a dispatcher has still to force only it knows. It is told, and the round has not made anything durable of theirs.
 */
export class OwnDispatcherForces {
  readonly #dispatchers: readonly CommitLogDispatcher[];
  readonly #events: StoreEventSink;
  /** What was thrown last in this round; undefined: nothing was. */
  #thrown: { readonly error: unknown } | undefined;
  /** Rounds that have failed, one after another. */
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;

  constructor(dispatchers: readonly CommitLogDispatcher[], events: StoreEventSink) {
    this.#dispatchers = dispatchers;
    this.#events = events;
  }

  /** Whether it is time for another round: not soon after one that has failed. */
  isDue(now: number): boolean {
    return now >= this.#retryAtMs;
  }

  /** @param offset end of the records that were handled */
  unforcedPaths(offset: number): string[] {
    const paths: string[] = [];
    this.#each(offset, (dispatcher) => paths.push(...(dispatcher.unforcedPaths?.() ?? [])));
    return paths;
  }

  /** Ends the round. What was thrown in it; undefined when everything below `offset` is durable. */
  force(offset: number): { readonly error: unknown } | undefined {
    this.#each(offset, (dispatcher) => dispatcher.force?.());
    const thrown = this.#thrown;
    this.#thrown = undefined;
    if (thrown !== undefined) {
      this.#retryAtMs = monotonicMs() + RETRY_MS;
      return thrown;
    }
    if (this.#failures > 0) this.#events.emit("recovered", { service: "dispatch" });
    this.#failures = 0;
    return undefined;
  }

  #each(offset: number, step: (dispatcher: CommitLogDispatcher) => void): void {
    for (const dispatcher of this.#dispatchers) {
      try {
        step(dispatcher);
      } catch (error) {
        if (error instanceof InvariantError) throw error;
        if (this.#thrown === undefined) this.#failures++;
        this.#thrown = { error };
        this.#tell(error, dispatcher.name, offset);
      }
    }
  }

  #tell(error: unknown, dispatcher: string, physicalOffset: number): void {
    const failures = this.#failures;
    const { code, message, stack } = failedService("dispatch", error, "ERR_SERVICE_FAILED");
    const values = `dispatcher=${dispatcher} offset=${physicalOffset} failures=${failures} code=${code} reason=${message}`;
    this.#events.emit("dispatchFailed", {
      service: "dispatch",
      code: "ERR_DISPATCH_FAILED",
      message: `what a dispatcher has handled is not durable, and that is tried again: ${values}`,
      ...(stack === undefined ? {} : { stack }),
      dispatcher,
      physicalOffset,
      failures,
    });
  }
}
