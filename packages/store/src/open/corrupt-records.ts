import type { StoreEventSink } from "../tell/store-event.js";

/** A corrupt record, as recovery or a reader has found it. */
interface FoundRecord {
  readonly physicalOffset: number;
  readonly size: number;
  readonly reason: string;
  readonly topic?: string;
  readonly queueId?: number;
}

/** Emits `corrupt`. */
export function tellCorruptRecord(events: StoreEventSink, service: "recover" | "read", record: FoundRecord): void {
  const { physicalOffset, size: length, reason, topic, queueId } = record;
  const message = `a record is not as it was written: physicalOffset=${physicalOffset} size=${length} reason=${reason}`;
  const queue = topic === undefined || queueId === undefined ? {} : { topic, queueId };
  events.emit("corrupt", { service, code: "ERR_RECORD_CORRUPT", message, physicalOffset, length, ...queue });
}
