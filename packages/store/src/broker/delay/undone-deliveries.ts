import { crc32, SCHEDULE_TOPIC } from "@millrace/format";
import type { MessageView } from "../../read/message-view.js";
import { type QueueName, realQueue, storedMessage } from "../stored-message.js";
import type { DelayOffsets } from "./delay-offsets.js";

/** What is the same but for its delay was put at about the same time. */
const SAME_PUT_MS = 60_000;

interface Delayed {
  readonly level: number;
  readonly queueOffset: number;
}

/** Of delayed messages that are the same but for their delay. */
interface Deliveries {
  /** How often one of them was delivered after the cut. */
  cut: number;
  /** When the oldest of them was stored; Infinity before one is found. */
  storedMs: number;
  /** Those that the levels' offsets call delivered. */
  readonly delayed: Delayed[];
}

/**
 * Delayed messages whose delivered form is cut from the log: the levels' offsets go back to the first of them.
 *
 * A delivered message does not name the delayed one; what they have in common tells. Those that have everything in common stand for one
 * another: of them the longest delayed, and of these the newest, count as delivered last.
 */
export class UndoneDeliveries {
  readonly #offsets: DelayOffsets;
  readonly #deliveries = new Map<string, Deliveries>();

  constructor(offsets: DelayOffsets) {
    this.#offsets = offsets;
  }

  /** A record after the cut. */
  cut(record: MessageView): void {
    const real = realQueue(record);
    if (real === undefined) return;
    const isDelayed = record.topic === SCHEDULE_TOPIC;
    if (!isDelayed && (record.topic !== real.topic || record.queueId !== real.queueId)) return;
    const key = keyOf(record, real);
    const deliveries = this.#deliveries.get(key) ?? { cut: 0, storedMs: Infinity, delayed: [] };
    this.#deliveries.set(key, deliveries);
    if (isDelayed) this.#found(record, deliveries);
    else deliveries.cut++;
  }

  /** A record before the cut. Segments come from the last to the first, each whole. */
  kept(record: MessageView): void {
    const real = record.topic === SCHEDULE_TOPIC ? realQueue(record) : undefined;
    const deliveries = real === undefined ? undefined : this.#deliveries.get(keyOf(record, real));
    if (deliveries !== undefined) this.#found(record, deliveries);
  }

  #found({ queueId, queueOffset, storeTimestamp }: MessageView, deliveries: Deliveries): void {
    const level = queueId + 1;
    deliveries.storedMs = Math.min(deliveries.storedMs, storeTimestamp);
    if (queueOffset < this.#offsets.get(level)) deliveries.delayed.push({ level, queueOffset });
  }

  /** Whether nothing before what has come matters any more. @param storeTimestamp of the oldest record that has come */
  isSettled(storeTimestamp: number): boolean {
    for (const { cut, storedMs } of this.#deliveries.values()) {
      if (cut > 0 && (storedMs === Infinity || storeTimestamp >= storedMs - SAME_PUT_MS)) return false;
    }
    return true;
  }

  /** In memory. */
  setBack(): void {
    for (const { cut, delayed } of this.#deliveries.values()) {
      delayed.sort((a, b) => b.level - a.level || b.queueOffset - a.queueOffset);
      for (const { level, queueOffset } of delayed.slice(0, cut)) {
        if (queueOffset < this.#offsets.get(level)) this.#offsets.set(level, queueOffset);
      }
    }
  }
}

/** The same for a delayed message and for what is put when it is due, whoever puts it. */
function keyOf(record: MessageView, real: QueueName): string {
  const { body, properties = {}, waitStoreMsgOK, bornHost, storeHost, ...rest } = storedMessage(record, real);
  return JSON.stringify([rest, Object.entries(properties).sort(byName), body.length, crc32(body)]);
}

function byName([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}
