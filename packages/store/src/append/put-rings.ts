import { type PutBell, type PutRingBuffers, PutRingConsumer } from "@millrace/shared-memory";
import type { AppendControl } from "../pipeline/controls.js";

/**
 * The rings of all producers on the appender's side: main's, and one for each thread of the user's that puts. They are served in turn, a
 * group each, so that nobody waits for a producer that puts without end; the order of messages holds within a ring.
 */
export class PutRings implements AppendControl {
  readonly #bell: PutBell;
  readonly #rings: PutRingConsumer[];
  /** Which ring comes next. */
  #next = 0;
  readonly #hasFrames = (): boolean => this.#rings.some((ring) => ring.tail !== ring.head);

  constructor(bell: PutBell, main: PutRingBuffers) {
    this.#bell = bell;
    this.#rings = [new PutRingConsumer(main)];
  }

  get main(): PutRingConsumer {
    return this.#rings[0] as PutRingConsumer;
  }

  addRing(buffers: PutRingBuffers): void {
    this.#rings.push(new PutRingConsumer(buffers));
  }

  removeRing(address: number): boolean {
    const index = this.#rings.findIndex(({ buffers }) => buffers.words.byteOffset === address);
    const ring = this.#rings[index];
    if (ring === undefined) return true;
    if (ring.tail !== ring.head) return false;
    this.#rings.splice(index, 1);
    return true;
  }

  /** The next ring that has frames. */
  next(): PutRingConsumer | undefined {
    const { length } = this.#rings;
    for (let i = 0; i < length; i++) {
      this.#next = (this.#next + 1) % length;
      const ring = this.#rings[this.#next] as PutRingConsumer;
      if (ring.tail !== ring.head) return ring;
    }
    return undefined;
  }

  /** Whether no ring has a frame, and nobody is about to publish one. */
  get isQuiet(): boolean {
    return !this.#rings.some((ring) => ring.isBurst || ring.tail !== ring.head);
  }

  /** 1 while there are frames: what a {@link WaitStrategy} looks at, with {@link wait}. */
  get(): number {
    return this.#hasFrames() ? 1 : 0;
  }

  wait(_seen: number, timeoutMs: number): void {
    this.#bell.sleep(this.#hasFrames, timeoutMs);
  }
}
