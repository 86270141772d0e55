import { MillraceError, type RefusedPutStatus, shownValue } from "@millrace/format";
import type { Message } from "./message.js";
import type { MessagePutter } from "./message-putter.js";
import { type PutMessageResult, refused } from "./put-message-result.js";
import type { Settle } from "./put-wait-queue.js";

/** Stands for an answer that comes by a promise of its own. */
const APART = refused("MESSAGE_ILLEGAL", "ERR_MESSAGE_ILLEGAL", "not answered yet");

/**
 * The messages of one `putAll`: each is put or refused on its own, one promise has all answers. Answers through the ring come in the order
 * of the puts, so that one function takes them all: a message costs neither a promise nor a closure. What is refused, and what waits for
 * room in the ring, has a promise of its own. Main thread.
 */
export class PutAll {
  readonly #putter: MessagePutter;
  readonly #results: (PutMessageResult | undefined)[];
  readonly #resolve: (results: PutMessageResult[]) => void;
  readonly #reject: (error: unknown) => void;
  /** At most the index of the message whose answer comes through the ring next. */
  #next = 0;
  #unanswered: number;
  /** Why it is not known what became of a message: the first such reason. */
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    putter: MessagePutter,
    length: number,
    resolve: (results: PutMessageResult[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#putter = putter;
    this.#results = new Array<PutMessageResult | undefined>(length).fill(undefined);
    this.#unanswered = length;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Puts nothing when one of them is no message. */
  static async put(putter: MessagePutter, messages: readonly Message[]): Promise<PutMessageResult[]> {
    if (!Array.isArray(messages)) throw notMessages(messages);
    const { length } = messages;
    for (let index = 0; index < length; index++) {
      try {
        putter.validate(messages[index], length);
      } catch (error) {
        throw withIndex(error, index);
      }
    }
    if (length === 0) return [];
    return await new Promise((resolve, reject) => new PutAll(putter, length, resolve, reject).#put(messages));
  }

  #put(messages: readonly Message[]): void {
    const { length } = this.#results;
    for (let index = 0; index < length; index++) {
      const apart = this.#putter.putInto(messages[index] as Message, this.#take);
      if (apart === undefined) continue;
      this.#results[index] = APART;
      apart.then(
        (result) => this.#answer(index, result),
        (error) => this.#fail(index, error),
      );
    }
  }

  /** The next answer through the ring. */
  readonly #take: Settle = (answer) => {
    while (this.#results[this.#next] !== undefined) this.#next++;
    const index = this.#next++;
    if (!(answer instanceof Promise)) return this.#answer(index, answer);
    this.#results[index] = APART;
    answer.catch((error) => this.#fail(index, error));
  };

  #answer(index: number, result: PutMessageResult): void {
    this.#results[index] = result;
    if (--this.#unanswered > 0) return;
    if (this.#failure === undefined) this.#resolve(this.#results as PutMessageResult[]);
    else this.#reject(this.#failure.error);
  }

  /** A message that is not in the log for sure is refused, whatever becomes of the others. */
  #fail(index: number, error: unknown): void {
    if (error instanceof MillraceError && error.outcome === "none") {
      const status = (error.status ?? "SERVICE_NOT_AVAILABLE") as RefusedPutStatus;
      return this.#answer(index, refused(status, error.code, error.message));
    }
    this.#failure ??= { error };
    this.#answer(index, APART);
  }
}

function notMessages(value: unknown): MillraceError {
  const reason = `putAll takes an array of messages: messages=${shownValue(value)}`;
  return new MillraceError("ERR_MESSAGE_ILLEGAL", reason, { status: "MESSAGE_ILLEGAL" });
}

function withIndex(error: unknown, index: number): unknown {
  if (!(error instanceof MillraceError)) return error;
  const { code, message, status, outcome } = error;
  return new MillraceError(code, `${message} index=${index}`, {
    outcome,
    cause: error,
    ...(status === undefined ? {} : { status }),
  });
}
