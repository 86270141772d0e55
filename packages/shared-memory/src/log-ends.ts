import type { ReadableCounter } from "./counter.js";

/**
 * Where the log ends depends on who asks. Each of these facts is made of more than one shared word, and decides what is
 * acknowledged, shown, deleted or lost: it is written here and nowhere else. All are bytes of the commit log, one past the last.
 *
 * A moment is enough to turn their order around: the appender counts a force of its own before it moves `wroteOffset`.
 */
type Words<N extends string> = { readonly [K in N]: ReadableCounter };

/**
 * End of what a power failure leaves: forced by the flusher or, in SYNC_FLUSH, by the appender itself. The flusher adopts the
 * appender's forces only later, so neither word alone says it. (RocketMQ: `flushedWhere`.)
 */
export function durableOffset(counters: Words<"flushedOffset" | "appendForcedOffset">): number {
  return Math.max(counters.flushedOffset.get(), counters.appendForcedOffset.get());
}

/**
 * End of the log as main may say it: a put can be acknowledged before the appender has moved `wroteOffset`, and what is
 * acknowledged is in the log. (RocketMQ: `getMaxPhyOffset`.)
 */
export function endOffset(counters: Words<"answeredOffset">): number {
  return counters.answeredOffset.get();
}

/** What a record must be before it is shown to readers: in the file (transient store pool), durable (SYNC_FLUSH), or written. */
export type ShownWhen = "committed" | "durable" | "wrote";

/** The options that decide it. */
interface ShownOptions {
  readonly transientStorePoolEnable: boolean;
  readonly flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
}

export function shownWhen({ transientStorePoolEnable, flushDiskType }: ShownOptions): ShownWhen {
  if (transientStorePoolEnable) return "committed";
  return flushDiskType === "SYNC_FLUSH" ? "durable" : "wrote";
}

/** End of what may be dispatched and read. (RocketMQ: `getConfirmOffset`.) */
export function shownOffset(
  counters: Words<"committedOffset" | "flushedOffset" | "appendForcedOffset" | "wroteOffset">,
  when: ShownWhen,
): number {
  if (when === "committed") return counters.committedOffset.get();
  return when === "durable" ? durableOffset(counters) : counters.wroteOffset.get();
}
