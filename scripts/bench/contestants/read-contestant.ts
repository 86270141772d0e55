import { monotonicUs } from "@millrace/shared-memory";
import { MessageContent } from "../../load-generator/message-content.js";

export const READ_MESSAGE_SIZE = 128;

/** One queue, so that its offsets are the message numbers. */
export function readContent(): MessageContent {
  return new MessageContent({
    topic: "BenchmarkTest",
    topics: 1,
    queues: 1,
    tags: 0,
    keyEnable: false,
    messageSize: READ_MESSAGE_SIZE,
    batchSize: 1,
  });
}

/** Bodies of the first messages of {@link readContent}, each in memory of its own. */
export function* readBodies(messages: number): Generator<Buffer> {
  const content = readContent();
  const unit = content.allocate();
  for (let number = 0; number < messages; number++) {
    content.fill(unit, number);
    yield Buffer.from(unit[0]?.body as Uint8Array);
  }
}

/** Something that has been filled with the messages 0, 1, … and that they are read from. */
export interface ReadContestant {
  /** Reads all of them in order, from the first again after the last, until the deadline. */
  scan(pass: ReadPass): void | Promise<void>;
  /** What {@link checkBody} makes of the body of one message. */
  get(number: number): number;
  close(): Promise<void>;
}

/** Reads the length and one byte of a body: the low byte of its number, or -1. */
export function checkBody(body: Uint8Array | undefined): number {
  return body === undefined || body.length !== READ_MESSAGE_SIZE ? -1 : (body[0] as number);
}

/** Messages between two looks at the clock. */
const LOOK_EVERY = 1024;

/** One measurement of reading in order: counts what is read, and knows at the end whether it was all there and in order. */
export class ReadPass {
  read = 0;
  readonly #messages: number;
  readonly #deadlineUs: number;
  #sum = 0;
  #lookAt = 0;
  #askedAt = -1;

  constructor(messages: number, deadlineUs: number) {
    this.#messages = messages;
    this.#deadlineUs = deadlineUs;
  }

  /** Takes the next message. */
  take(body: Uint8Array): void {
    this.#sum += checkBody(body);
    this.read++;
  }

  /** Asks the clock now and then only, and whenever nothing was read since it was asked before. */
  get isOver(): boolean {
    if (this.read < this.#lookAt && this.read > this.#askedAt) {
      this.#askedAt = this.read;
      return false;
    }
    this.#askedAt = this.read;
    this.#lookAt = this.read + LOOK_EVERY;
    return monotonicUs() >= this.#deadlineUs;
  }

  /** Number of the next message. */
  get next(): number {
    return this.read % this.#messages;
  }

  /** @throws when other bodies were read than those of the messages */
  check(): void {
    let expected = 0;
    for (let i = 0; i < this.read; i++) expected += (i % this.#messages) & 0xff;
    if (this.read === 0 || this.#sum !== expected) {
      throw new Error(`not the messages that were put: read=${this.read} sum=${this.#sum} expected=${expected}`);
    }
  }
}
