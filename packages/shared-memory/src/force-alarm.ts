import {
  ALARM_CLAIMED,
  ALARM_RAISED,
  ALARM_STATE_WORD,
  ALARM_TEXT_LENGTH,
  ALARM_TEXT_LENGTH_WORD,
  ALARM_TEXT_OFFSET,
} from "./control-block-descriptor.js";

/** Ends the service's name in the text. */
const SERVICE_END = "\n";

/**
 * A force of the log has failed, in whichever thread: the one word that any thread may set, because it is set once and never taken
 * back. Who publishes that something is durable looks here between his force and his publication: what the system says to one
 * descriptor it may never say to another.
 */
export class ForceAlarm {
  readonly #words: Int32Array;
  readonly #text: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#text = new Uint8Array(buffer, ALARM_TEXT_OFFSET, ALARM_TEXT_LENGTH);
  }

  /** From the moment on that a thread knows it, before the reason can be read. */
  get isRaised(): boolean {
    return Atomics.load(this.#words, ALARM_STATE_WORD) !== 0;
  }

  /**
   * The first one stays, and true is for who has raised it. Wakes who waits in {@link whenRaised}.
   *
   * @param service whose force it was
   */
  raise(service: string, reason: string): boolean {
    if (Atomics.compareExchange(this.#words, ALARM_STATE_WORD, 0, ALARM_CLAIMED) !== 0) return false;
    const text = new TextEncoder().encode(`${service}${SERVICE_END}${reason}`).subarray(0, ALARM_TEXT_LENGTH);
    this.#text.set(text);
    Atomics.store(this.#words, ALARM_TEXT_LENGTH_WORD, text.length);
    Atomics.store(this.#words, ALARM_STATE_WORD, ALARM_RAISED);
    Atomics.notify(this.#words, ALARM_STATE_WORD);
    return true;
  }

  /** Whose force it was, and what the system said. Empty while the thread that raises it has not said it yet. */
  get cause(): { readonly service: string; readonly reason: string } {
    const text = new TextDecoder().decode(this.#text.slice(0, Atomics.load(this.#words, ALARM_TEXT_LENGTH_WORD)));
    const end = text.indexOf(SERVICE_END);
    return { service: text.slice(0, Math.max(0, end)), reason: text.slice(end + 1) };
  }

  /** Resolves when it is raised, or after a {@link nudge}. Does not keep the process alive. */
  async whenRaised(): Promise<void> {
    for (let seen = 0; seen !== ALARM_RAISED; seen = Atomics.load(this.#words, ALARM_STATE_WORD)) {
      const { async, value } = Atomics.waitAsync(this.#words, ALARM_STATE_WORD, seen);
      if (!async) continue;
      await value;
      if (!this.isRaised) return;
    }
  }

  /** Ends the waits without an alarm. */
  nudge(): void {
    Atomics.notify(this.#words, ALARM_STATE_WORD);
  }
}
