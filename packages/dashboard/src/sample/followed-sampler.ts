import { monotonicMs, wallClockMs } from "@millrace/shared-memory";
import type { ReadOnlyMessageStore } from "@millrace/store";
import type { FollowedFrame } from "./frame.js";
import { perSecond, SampleWindow } from "./sample-window.js";

const RECENT_MS = 1000;
/** The directory is listed no more often: a store may have thousands of files. */
const LOOK_MS = 1000;

interface Sample {
  readonly atMs: number;
  readonly wrote: number;
  /** Ends of all queues together. */
  readonly messages: number;
}

/** Makes frames of what a directory says whose store is another process's: where the log begins and ends, and how fast that moves. */
export class FollowedSampler {
  readonly #store: ReadOnlyMessageStore;
  readonly #window = new SampleWindow<Sample>(2 * RECENT_MS);
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #durable: number | undefined;
  #ready = 0;
  #messages = 0;

  constructor(store: ReadOnlyMessageStore) {
    this.#store = store;
  }

  frame(): FollowedFrame {
    const atMs = monotonicMs();
    if (atMs - this.#lookedAtMs >= LOOK_MS) this.#look(atMs);
    const wrote = this.#store.maxPhysicalOffset;
    this.#window.add({ atMs, wrote, messages: this.#messages });
    const before = this.#window.before(RECENT_MS) as Sample;
    const ms = atMs - before.atMs;
    const durable = this.#durable === undefined ? undefined : Math.min(this.#durable, wrote);
    return {
      kind: "followed",
      time: wallClockMs(),
      offsets: { min: this.#store.minPhysicalOffset, durable, wrote, ready: Math.max(this.#ready, wrote) },
      messagesPerSecond: perSecond(before.messages, this.#messages, ms),
      bytesPerSecond: perSecond(before.wrote, wrote, ms),
    };
  }

  #look(atMs: number): void {
    const { flushedOffset, segments } = this.#store.stats();
    const last = segments.at(-1);
    this.#durable = flushedOffset;
    this.#ready = last === undefined ? 0 : last.fromOffset + last.bytes;
    this.#messages = this.#store.queueStats().reduce((sum, { maxOffset }) => sum + maxOffset, 0);
    this.#lookedAtMs = atMs;
  }
}
