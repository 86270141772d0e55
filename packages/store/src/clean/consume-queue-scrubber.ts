import type { QueueScrub } from "../pipeline/controls.js";
import { Pause } from "./pause.js";

/** Between two files: a scrub takes its time, and leaves the disk to the others. */
const PAUSE_MS = 20;

/** Has the dispatch thread compare the ConsumeQueues' files with their checksums once, from the opening of the store on. Main thread. */
export class ConsumeQueueScrubber {
  readonly #scrub: () => Promise<QueueScrub>;
  readonly #pause = new Pause();
  #running: Promise<void> | undefined;

  constructor(scrub: () => Promise<QueueScrub>) {
    this.#scrub = scrub;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends a scrub that is under way, between two slices. */
  async close(): Promise<void> {
    this.#pause.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (await this.#pause.for(PAUSE_MS)) if ((await this.#scrub()).isDone) return;
    } catch {
      // The thread has ended, and the store says so.
    }
  }
}
