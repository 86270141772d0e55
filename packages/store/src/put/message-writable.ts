import { Writable } from "node:stream";
import { MillraceError, shownValue } from "@millrace/format";
import { checkKnownKeys, knownKeys } from "../config/known-keys.js";
import type { Message } from "./message.js";
import type { PutMessageResult } from "./put-message-result.js";

/** What {@link MessageStore.writable} takes. */
export interface MessageWritableOptions {
  /** Messages that may be unanswered before the stream asks its source to wait. Default 1,024. */
  readonly highWaterMark?: number;
}

/** Where the messages go. */
export interface MessageWritablePlace {
  putMessage(message: Message): Promise<PutMessageResult>;
  flush(): Promise<unknown>;
}

const KNOWN_KEYS = knownKeys<MessageWritableOptions>({ highWaterMark: true });
const HIGH_WATER_MARK = 1024;

/**
 * Messages that are put in the order in which they are written, many at a time, and no faster than the store takes them. It finishes
 * when all of them are acknowledged as the flush mode promises, and is destroyed with the error of the first one that was not put.
 */
export class MessageWritable extends Writable {
  readonly #place: MessageWritablePlace;
  readonly #limit: number;
  #unanswered = 0;
  /** Appended, and not forced in time: the end forces once more. */
  #hasUnforced = false;
  /** What goes on when there is room, or when all are answered. */
  #resume: (() => void) | undefined;

  constructor(place: MessageWritablePlace, options: MessageWritableOptions = {}) {
    if (typeof options !== "object" || options === null)
      throw new MillraceError("ERR_LIMIT_ILLEGAL", `options are an object: options=${shownValue(options)}`);
    checkKnownKeys(options, KNOWN_KEYS, "ERR_LIMIT_ILLEGAL");
    const { highWaterMark = HIGH_WATER_MARK } = options;
    if (!Number.isSafeInteger(highWaterMark) || highWaterMark < 1) {
      const text = `an integer of at least 1 is needed: highWaterMark=${shownValue(highWaterMark)}`;
      throw new MillraceError("ERR_LIMIT_ILLEGAL", text);
    }
    super({ objectMode: true, highWaterMark });
    this.#place = place;
    this.#limit = highWaterMark;
  }

  override _write(message: Message, _encoding: string, done: (error?: Error | null) => void): void {
    this.#unanswered++;
    this.#place.putMessage(message).then(this.#answered, this.#failed);
    if (this.#unanswered < this.#limit) done();
    else this.#resume = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    const end = (): void => {
      if (this.#hasUnforced) this.#place.flush().then(() => done(), done);
      else done();
    };
    this.#whenAnswered(end);
  }

  /** Each answer looks again. */
  #whenAnswered(end: () => void): void {
    if (this.#unanswered === 0) end();
    else this.#resume = () => this.#whenAnswered(end);
  }

  readonly #answered = (result: PutMessageResult): void => {
    if (result.appendResult === null) {
      const { code, reason, status } = result;
      return this.#failed(new MillraceError(code, reason, { status }));
    }
    if (result.status === "FLUSH_DISK_TIMEOUT") this.#hasUnforced = true;
    this.#unanswered--;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  };

  readonly #failed = (error: Error): void => {
    this.#unanswered--;
    this.destroy(error);
  };
}
