import { MillraceError } from "@millrace/format";
import type { ControlBlock } from "@millrace/shared-memory";
import type { HaStats } from "@millrace/stats";
import type { TopicTable } from "../put/topic-table.js";
import { isHaReport } from "../replicate/ha-report.js";
import type { StoreEvents } from "../tell/store-events.js";

/** What the service that replicates says on main: how it stands, queues that are new to a slave, and events as all services. */
export class HaStatus {
  /** As it was said last; undefined where nothing replicates. */
  stats: HaStats | undefined;
  /** Why a queue could not be added last: it is asked for again and again, and said once. */
  #refusal = "";
  readonly #events: StoreEvents;
  readonly #topics: TopicTable;
  readonly #queueSlots: ControlBlock<"main">["counters"]["queueSlots"];

  constructor(events: StoreEvents, topics: TopicTable, control: ControlBlock<"main">) {
    this.#events = events;
    this.#topics = topics;
    this.#queueSlots = control.counters.queueSlots;
  }

  readonly onReport = (report: unknown): void => {
    if (!isHaReport(report)) return this.#events.onReport(report);
    if ("ha" in report) this.stats = report.ha;
    else this.#addQueue(report.queue.topic, report.queue.queueId);
  };

  /** The slave asks again while it has none. */
  #addQueue(name: string, queueId: number): void {
    try {
      this.#topics.slot(this.#topics.recovered(name), queueId);
      this.#queueSlots.nudge();
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      if (error.code === "ERR_TOPIC_SUSPENDED") return; // for a moment
      const { code, message } = error;
      if (message === this.#refusal) return;
      this.#refusal = message;
      this.#events.emit("error", { service: "append", code, message });
    }
  }
}
