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
export function tellCorruptRecord(events: StoreEventSink, service: "recover" | "read" | "scrub", record: FoundRecord): void {
  const { physicalOffset, size: length, reason, topic, queueId } = record;
  const message = `a record is not as it was written: physicalOffset=${physicalOffset} size=${length} reason=${reason}`;
  const queue = topic === undefined || queueId === undefined ? {} : { topic, queueId };
  events.emit("corrupt", { service, code: "ERR_RECORD_CORRUPT", message, physicalOffset, length, ...queue });
}

/** Emits `corrupt`. */
export function tellDamagedIndex(events: StoreEventSink, service: "recover" | "scrub", path: string, reason: string): void {
  const when = service === "recover" ? "it is built again" : "the next opening builds it again";
  const message = `an index file is not as it was finished; ${when}: reason=${reason} path=${path}`;
  events.emit("corrupt", { service, code: "ERR_INDEX_FILE_CORRUPT", message, path });
}
