import type { FailedService, ReadableCounter } from "@millrace/shared-memory";

/** A service without a sign of life for so many looks, 30 s, is given up. */
const LOOKS = 60;
const LOOK_MS = 500;

/** A service as the watch sees it. */
export interface WatchedService {
  readonly name: string;
  readonly heartbeatUs: Pick<ReadableCounter, "get">;
  /** No more than once; after its end nothing comes of it. */
  giveUp(failure: FailedService): void;
}

/**
 * Gives up services that are stuck, in a call of the system or in a dispatcher of the user's, until it is disposed of. A service that
 * works shows a heartbeat, however long its work takes. What counts are looks, not time: in a process that was stopped for a while
 * the services have had none either.
 */
export class StuckWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;

  /** @param lookMs between two looks */
  constructor(services: readonly WatchedService[], lookMs = LOOK_MS) {
    const watched = services.map((service) => ({ service, lastUs: service.heartbeatUs.get(), looks: 0 }));
    this.#timer = setInterval(() => {
      for (const each of watched) {
        const heartbeatUs = each.service.heartbeatUs.get();
        each.looks = heartbeatUs === each.lastUs ? each.looks + 1 : 0;
        each.lastUs = heartbeatUs;
        if (each.looks === LOOKS) each.service.giveUp(stuck(each.service.name));
      }
    }, lookMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function stuck(service: string): FailedService {
  return { ok: false, service, code: "ERR_SERVICE_STUCK", message: `the service shows no sign of life: service=${service}` };
}
