import type { MessagePort } from "node:worker_threads";
import { postReport } from "@millrace/shared-memory";
import type { StoreEventDetail, StoreEventName, StoreEventSink } from "./store-event.js";

/** What travels from a service thread to main. */
export type ServiceReport = { [N in StoreEventName]: { readonly name: N; readonly detail: StoreEventDetail<N> } }[StoreEventName];

/** The events of a service thread: each is posted to main, which hands it on. Not for the data path. */
export class ServiceEvents implements StoreEventSink {
  readonly #port: MessagePort;

  /** @param port of the service's task */
  constructor(port: MessagePort) {
    this.#port = port;
  }

  emit<N extends StoreEventName>(name: N, detail: StoreEventDetail<N>): void {
    postReport(this.#port, { name, detail });
  }
}
