import type { HaStats } from "@millrace/stats";
import { isHaReport } from "../replicate/ha-report.js";
import type { StoreEvents } from "../tell/store-events.js";

/** What the service that replicates says on main: how it stands, and events as all services. */
export class HaStatus {
  /** As it was said last; undefined where nothing replicates. */
  stats: HaStats | undefined;
  readonly #events: StoreEvents;

  constructor(events: StoreEvents) {
    this.#events = events;
  }

  readonly onReport = (report: unknown): void => {
    if (isHaReport(report)) this.stats = report.ha;
    else this.#events.onReport(report);
  };
}
