import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SCHEDULE_TOPIC } from "@millrace/format";
import { grouped } from "../support/grouped.js";
import type { DecodedMessage } from "../support/message-decoder.js";
import { DELAYED_TOPIC } from "./crash-job.js";

/** A life of the store that said where it began, and the ones before it that did not get so far. */
interface Span {
  lives: number;
  /** Where the log ended when it began. */
  fromOffset: number;
  /** Level → what the file said when the first of the lives began: all below had been delivered durably. */
  readonly saved: ReadonlyMap<number, number>;
  /** It was closed, and that was waited for: nothing that it delivered comes again. */
  isClosed: boolean;
}

/** All that is known from outside of messages with a delay. */
export class DelayedLedger {
  readonly #queues = new Map<string, number>();
  readonly #acknowledged = new Set<string>();
  readonly #spans: Span[] = [];
  #isOpen = false;

  sent(id: string, queueId: number): void {
    this.#queues.set(id, queueId);
  }

  acknowledged(id: string): void {
    this.#acknowledged.add(id);
  }

  /** Before the store is opened. */
  begin(root: string): void {
    const last = this.#spans.at(-1);
    if (last !== undefined && !this.#isOpen) last.lives++;
    else this.#spans.push({ lives: 1, fromOffset: Number.NaN, saved: readSaved(root), isClosed: false });
    this.#isOpen = false;
  }

  /** It got so far. */
  opened(fromOffset: number): void {
    (this.#spans.at(-1) as Span).fromOffset = fromOffset;
    this.#isOpen = true;
  }

  closed(): void {
    (this.#spans.at(-1) as Span).isClosed = true;
  }

  /**
   * Each message in a level's queue comes at least once (`areAllDue`: by now), at most once in a life, never in a life that began
   * when the file said that it had been delivered, and never after a close; it is what was sent. Acknowledged ones are there,
   * unless the log `mayForget`.
   */
  faults(messages: readonly DecodedMessage[], mayForget: boolean, areAllDue: boolean): string[] {
    const faults: string[] = [];
    const scheduled = new Map(
      messages.filter(({ topic }) => topic === SCHEDULE_TOPIC).map((message) => [String(message.body), message] as const),
    );
    const delivered = grouped(
      messages.filter(({ topic }) => topic === DELAYED_TOPIC),
      ({ body }) => String(body),
    );
    for (const [id, copies] of delivered) {
      if (!this.#queues.has(id)) faults.push(`delayed ${id}: never was sent`);
      if (!scheduled.has(id) && !mayForget) faults.push(`delayed ${id}: delivered, and not in its level's queue`);
      for (const { queueId, properties } of copies) {
        if (queueId !== this.#queues.get(id)) faults.push(`delayed ${id}: in queue ${queueId}`);
        if (properties.has("DELAY")) faults.push(`delayed ${id}: delivered with a delay`);
      }
    }
    for (const [id, message] of scheduled) faults.push(...this.#copyFaults(id, message, delivered.get(id) ?? [], areAllDue));
    for (const id of mayForget ? [] : this.#acknowledged)
      if (!scheduled.has(id)) faults.push(`delayed ${id}: acknowledged, and not there`);
    return faults;
  }

  #copyFaults(id: string, message: DecodedMessage, copies: readonly DecodedMessage[], areAllDue: boolean): string[] {
    const faults: string[] = [];
    if (areAllDue && copies.length === 0) faults.push(`delayed ${id}: not delivered`);
    for (const [index, { fromOffset, saved, isClosed }] of this.#spans.entries()) {
      const end = this.#spans[index + 1]?.fromOffset ?? Number.POSITIVE_INFINITY;
      const count = copies.filter(({ physicalOffset }) => physicalOffset >= fromOffset && physicalOffset < end).length;
      const before = copies.filter(({ physicalOffset }) => physicalOffset < fromOffset).length;
      // Those that did not say where they began may have delivered before the one that did.
      const lives = this.#spans[index + 1]?.lives ?? 1;
      if (count > lives) faults.push(`delayed ${id}: ${count} times in ${lives} lives from ${fromOffset}`);
      // What comes before the next beginning is all its own.
      const isFinal = isClosed && lives === 1;
      if (isFinal && before + count > 0 && before + count < copies.length)
        faults.push(`delayed ${id}: again after a close at ${end}`);
      const isSaved = message.queueOffset < (saved.get(message.queueId + 1) ?? 0);
      if (isSaved && count > 0) faults.push(`delayed ${id}: again from ${fromOffset}, although it was saved`);
      if (isSaved && before === 0) faults.push(`delayed ${id}: saved at ${fromOffset}, and not delivered before`);
    }
    return faults;
  }
}

function readSaved(root: string): Map<number, number> {
  const path = join(root, "config", "delayOffset.json");
  if (!existsSync(path)) return new Map();
  const { offsetTable } = JSON.parse(readFileSync(path, "utf8")) as { offsetTable: Record<string, number> };
  return new Map(Object.entries(offsetTable).map(([level, offset]) => [Number(level), offset]));
}
