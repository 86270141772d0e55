import {
  LANE_DESCRIPTOR_WORD,
  LANE_ERRNO_WORD,
  LANE_FRAME_WORD,
  LANE_IN_USE,
  LANE_OPEN,
  LANE_STATE_WORD,
  LANE_STUCK,
  LANE_UNSENT_WORD,
  LANE_WANTED,
} from "./control-block-descriptor.js";

const CLOSED = 0;
/** How soon who closes the lane looks again, should nobody wake it. */
const LOOK_MS = 10;

/** What the appender had begun to send when the socket took no more. */
export interface StuckFrame {
  /** Bytes of its body, the last of which is before `laneOffset`. */
  readonly bodyLength: number;
  /** Its last bytes, which are to be sent before anything else; 0: the appender's thread ended meanwhile, and nobody knows how many. */
  readonly unsent: number;
  /** What the system said against the connection, which it says once: an errno of Node's, less than 0. 0: the socket takes no more now. */
  readonly errno: number;
}

const LOST: StuckFrame = { bodyLength: 0, unsent: 0, errno: 0 };

/**
 * How the appender sends a group to a slave in the step that has written it: one thread less between a put and its acknowledgement.
 * Replicate opens the lane to a slave that it has sent the whole log, and closes it before it sends that slave anything itself.
 *
 * ```text
 *   closed → open                 replicate, after it has moved `laneBeganOffset` to the end of the log
 *   open   → closed               replicate
 *   open   → in use               append
 *   in use → open                 append
 *   in use → wanted               replicate, which waits
 *   wanted → closed               append
 *   in use, wanted → stuck        append: a frame went out in part
 *   stuck  → closed               replicate, which sends the rest
 *   in use, wanted → stuck        main, when append's thread has died: nobody knows how much of a frame went out
 *   open, stuck → closed          main, when replicate's thread has died
 * ```
 *
 * Invariant: the socket is written to by replicate while the lane is closed or stuck, by append while it is in use or wanted, else by
 * nobody. While it is open, the slave has been sent the log up to `laneBeganOffset` or `laneOffset`, whichever is more. There is one
 * descriptor at most, and it is open for as long as the word names it: so main can close it when replicate's thread has died.
 */
export class SendLane {
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
  }

  /** Of the slave's socket, replicate's own; -1: there is none. */
  get descriptor(): number {
    return Atomics.load(this.#words, LANE_DESCRIPTOR_WORD) - 1;
  }

  /** Replicate's, while the lane is closed. */
  set descriptor(value: number) {
    Atomics.store(this.#words, LANE_DESCRIPTOR_WORD, value + 1);
  }

  /** A frame has stuck, and the lane is not closed yet. */
  get isStuck(): boolean {
    return Atomics.load(this.#words, LANE_STATE_WORD) === LANE_STUCK;
  }

  /** Replicate's, while the lane is closed. */
  open(): void {
    Atomics.store(this.#words, LANE_STATE_WORD, LANE_OPEN);
  }

  /** Replicate's: waits for a group that is being sent. Undefined: no frame has stuck. */
  close(): StuckFrame | undefined {
    const words = this.#words;
    for (;;) {
      const state = Atomics.load(words, LANE_STATE_WORD);
      if (state === CLOSED) return undefined;
      if (state === LANE_STUCK) {
        Atomics.store(words, LANE_STATE_WORD, CLOSED);
        const [bodyLength, unsent] = [words[LANE_FRAME_WORD] as number, words[LANE_UNSENT_WORD] as number];
        return { bodyLength, unsent, errno: words[LANE_ERRNO_WORD] as number };
      }
      if (state === LANE_OPEN) Atomics.compareExchange(words, LANE_STATE_WORD, LANE_OPEN, CLOSED);
      else if (state === LANE_IN_USE) Atomics.compareExchange(words, LANE_STATE_WORD, LANE_IN_USE, LANE_WANTED);
      else Atomics.wait(words, LANE_STATE_WORD, LANE_WANTED, LOOK_MS);
    }
  }

  /** Main's, which waits for nobody, when replicate's thread has ended. False: a group is being sent. */
  abandon(): boolean {
    const words = this.#words;
    const state = Atomics.load(words, LANE_STATE_WORD);
    if (state === CLOSED) return true;
    if (state === LANE_IN_USE || state === LANE_WANTED) return false;
    return Atomics.compareExchange(words, LANE_STATE_WORD, state, CLOSED) === state;
  }

  /** Main's, when append's thread has ended, which would have given it back: who waits for it has waited. */
  lose(): void {
    const words = this.#words;
    for (;;) {
      const state = Atomics.load(words, LANE_STATE_WORD);
      if (state !== LANE_IN_USE && state !== LANE_WANTED) return;
      this.#say(LOST);
      if (Atomics.compareExchange(words, LANE_STATE_WORD, state, LANE_STUCK) !== state) continue;
      Atomics.notify(words, LANE_STATE_WORD);
      return;
    }
  }

  /** Append's. False: the lane is not open. Else it is to be given back soon. */
  take(): boolean {
    const words = this.#words;
    if (Atomics.load(words, LANE_STATE_WORD) !== LANE_OPEN) return false;
    return Atomics.compareExchange(words, LANE_STATE_WORD, LANE_OPEN, LANE_IN_USE) === LANE_OPEN;
  }

  /** Append's, after {@link take}. @param stuck the socket takes no more now, or the connection has ended */
  giveBack(stuck?: StuckFrame): void {
    const words = this.#words;
    if (stuck === undefined) {
      if (Atomics.compareExchange(words, LANE_STATE_WORD, LANE_IN_USE, LANE_OPEN) === LANE_IN_USE) return;
      Atomics.store(words, LANE_STATE_WORD, CLOSED);
    } else {
      this.#say(stuck);
      if (Atomics.exchange(words, LANE_STATE_WORD, LANE_STUCK) === LANE_IN_USE) return;
    }
    Atomics.notify(words, LANE_STATE_WORD);
  }

  /** Before the state says that a frame has stuck. */
  #say({ bodyLength, unsent, errno }: StuckFrame): void {
    this.#words[LANE_FRAME_WORD] = bodyLength;
    this.#words[LANE_UNSENT_WORD] = unsent;
    this.#words[LANE_ERRNO_WORD] = errno;
  }
}
