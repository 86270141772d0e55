import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { MessageStore, StoreFailureEvent } from "@millrace/store";
import type { Finding } from "./finding.js";

/** Some files at 20 ms each, on a machine that may do much else. */
const REBUILT_MS = 60_000;
const LOOK_MS = 5;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** What a store says by itself of what it has found damaged, in its report and in events: no silence, so no wrong. */
export class ToldDamage {
  readonly #ranges: Range[] = [];
  readonly #queues = new Set<string>();
  readonly #failures: StoreFailureEvent[] = [];
  /** Paths. */
  readonly #rebuilt: string[] = [];
  #isIndexDamaged = false;

  /** @param durableOffset what recovery cuts from there on had not been durable, or nobody knew */
  constructor(store: MessageStore, durableOffset: number) {
    const { cut, corrupt, deletedByOthers, minOffset } = store.recovery;
    if (deletedByOthers !== undefined) this.#ranges.push({ from: deletedByOthers, to: minOffset });
    if (cut !== undefined && cut.offset >= durableOffset) this.#ranges.push({ from: cut.offset, to: Number.POSITIVE_INFINITY });
    for (const { physicalOffset, size } of corrupt) this.#ranges.push({ from: physicalOffset, to: physicalOffset + size });
    store.on("corrupt", ({ code, physicalOffset, length = 1 }) => {
      this.#isIndexDamaged ||= code === "ERR_INDEX_FILE_CORRUPT";
      if (physicalOffset !== undefined) this.#ranges.push({ from: physicalOffset, to: physicalOffset + length });
    });
    store.on("rebuilt", ({ path }) => this.#rebuilt.push(path));
    store.on("error", (event) => {
      this.#failures.push(event);
      const [, topic, queueId] = /consumequeue\/([^/ ]+)\/(\d+)/.exec(event.message) ?? [];
      if (topic !== undefined) this.#queues.add(`${topic}-${queueId}`);
    });
  }

  /** Whether the record that was at this physical offset may be missing. */
  readonly isGone = (physicalOffset: number): boolean =>
    this.#ranges.some(({ from, to }) => physicalOffset >= from && physicalOffset < to);

  /** Whether the store has said that it cannot serve this queue. */
  readonly isRefused = (queue: string): boolean => this.#queues.has(queue);

  /** Whether files of all these queues (`topic-queueId`) are built again, and said to be, within a while after opening. */
  async areRebuilt(queues: readonly string[]): Promise<boolean> {
    const deadline = performance.now() + REBUILT_MS;
    const isRebuilt = (queue: string): boolean => this.#rebuilt.some((path) => dirname(path).endsWith(`/${directoryOf(queue)}`));
    while (!queues.every(isRebuilt) && performance.now() < deadline) await setTimeout(LOOK_MS);
    return queues.every(isRebuilt);
  }

  /** Whether an index file is said to be damaged, within a while after opening. */
  async isIndexDamaged(): Promise<boolean> {
    const deadline = performance.now() + REBUILT_MS;
    while (!this.#isIndexDamaged && performance.now() < deadline) await setTimeout(LOOK_MS);
    return this.#isIndexDamaged;
  }

  /** A fence is a state, and no news; an index file that an opening has found damaged is built again by it. */
  findings(): Finding[] {
    const isNews = ({ code, service }: StoreFailureEvent): boolean =>
      code !== "ERR_STORE_FENCED" && code !== "ERR_FORCE_FAILED" && !(code === "ERR_INDEX_FILE_CORRUPT" && service === "recover");
    const news = this.#failures.filter(isNews);
    return news.map(({ code, service, message }) => ({ verdict: "TOLD", what: `${code} ${service}: ${message}` }));
  }
}

function directoryOf(queue: string): string {
  const dash = queue.lastIndexOf("-");
  return `${queue.slice(0, dash)}/${queue.slice(dash + 1)}`;
}
