import type { MessagePort } from "node:worker_threads";
import { type Endpoint, expose, releaseProxy, wrap } from "comlink";
import type { Remote } from "./remote.js";

/** A control plane between two threads that both ask: Comlink in both directions over one port, which keeps no thread alive. */
export class ControlPort<T extends object> {
  readonly remote: Remote<T>;
  /** Resolves when the other end is closed, or its thread has ended. */
  readonly closed: Promise<void>;
  readonly #port: MessagePort;
  readonly #release: () => void;
  #isClosed = false;

  /** @param own what the other thread may ask of this one */
  constructor(port: MessagePort, own: object) {
    this.#port = port;
    expose(own, port as unknown as Endpoint);
    const proxy = wrap<T>(port as unknown as Endpoint);
    this.remote = proxy as unknown as Remote<T>;
    this.#release = () => proxy[releaseProxy]();
    this.closed = new Promise((resolve) => port.once("close", () => resolve()));
    port.unref();
  }

  /** From here; then nothing can be asked any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Idempotent. Questions that are under way are never answered. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release();
    this.#port.close();
  }
}
