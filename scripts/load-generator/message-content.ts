import { type LoadOptions, STAMP_LENGTH, topicName } from "./load-options.js";
import type { LoadMessage } from "./load-target.js";

const SEED = 0x9e3779b9;

/**
 * What is in message number n, computed from n alone, when it is sent and again when it is verified. Numbers count messages; a put of
 * `batchSize` messages is a unit, and all messages of a unit go to one lane, a queue of a topic.
 *
 * ```text
 *   body:  [ number, 8 bytes ][ pseudo-random bytes, the same in all bodies … ][ number, 8 bytes ]      (the last from 16 bytes on)
 * ```
 */
export class MessageContent {
  readonly batchSize: number;
  readonly #messageSize: number;
  readonly #topics: readonly string[];
  readonly #queues: number;
  readonly #tags: readonly string[];
  readonly #keyEnable: boolean;
  /** A whole body; its stamps are rewritten for each comparison. */
  readonly #template: Buffer;

  constructor(options: Pick<LoadOptions, "topic" | "topics" | "queues" | "tags" | "keyEnable" | "messageSize" | "batchSize">) {
    this.batchSize = options.batchSize;
    this.#messageSize = options.messageSize;
    this.#topics = Array.from({ length: options.topics }, (_, index) => topicName(options, index));
    this.#queues = options.queues;
    this.#tags = Array.from({ length: options.tags }, (_, index) => `Tag${index}`);
    this.#keyEnable = options.keyEnable;
    this.#template = Buffer.alloc(options.messageSize);
    let state = SEED;
    for (let i = 0; i < this.#template.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      this.#template[i] = state;
    }
  }

  /** The messages of one unit, to be filled again and again. */
  allocate(): LoadMessage[] {
    return Array.from({ length: this.batchSize }, () => {
      const message: LoadMessage = { topic: "", queueId: 0, body: Uint8Array.from(this.#template) };
      if (this.#tags.length > 0) message.tags = "";
      if (this.#keyEnable) message.keys = "";
      return message;
    });
  }

  fill(messages: readonly LoadMessage[], unit: number): void {
    const topic = this.topicOf(unit);
    const queueId = this.queueIdOf(unit);
    let number = unit * this.batchSize;
    for (const message of messages) {
      message.topic = topic;
      message.queueId = queueId;
      stamp(message.body, number);
      if (this.#tags.length > 0) message.tags = this.tagOf(number) as string;
      if (this.#keyEnable) message.keys = this.keyOf(number) as string;
      number++;
    }
  }

  /** Unit n goes to lane n % lanes. */
  get lanes(): number {
    return this.#topics.length * this.#queues;
  }

  topicOf(unit: number): string {
    return this.#topics[unit % this.#topics.length] as string;
  }

  queueIdOf(unit: number): number {
    return Math.floor(unit / this.#topics.length) % this.#queues;
  }

  tagOf(number: number): string | undefined {
    return this.#tags[number % this.#tags.length];
  }

  keyOf(number: number): string | undefined {
    return this.#keyEnable ? `Key${number}` : undefined;
  }

  /** What the stamps say; -1 when they disagree, or when it is no body of this load. Looks at nothing between them. */
  numberOf(body: Uint8Array): number {
    const { length } = body;
    if (length !== this.#messageSize || length < STAMP_LENGTH) return -1;
    if (length >= 2 * STAMP_LENGTH) {
      const last = length - STAMP_LENGTH;
      for (let i = 0; i < STAMP_LENGTH; i++) if (body[i] !== body[last + i]) return -1;
    }
    return int32At(body, 0) + int32At(body, 4) * 0x1_0000_0000;
  }

  bodyMatches(number: number, bytes: Uint8Array, position: number, length: number): boolean {
    if (length !== this.#messageSize) return false;
    stamp(this.#template, number);
    return this.#template.compare(bytes, position, position + length) === 0;
  }
}

function stamp(body: Uint8Array, number: number): void {
  const length = body.length;
  writeNumber(body, 0, Math.min(STAMP_LENGTH, length), number);
  if (length >= 2 * STAMP_LENGTH) writeNumber(body, length - STAMP_LENGTH, length, number);
}

/** Little-endian, as many bytes as fit. */
function writeNumber(body: Uint8Array, start: number, end: number, number: number): void {
  let rest = (number % 0x1_0000_0000) | 0;
  const high = Math.floor(number / 0x1_0000_0000);
  for (let i = start; i < end; i++) {
    body[i] = rest;
    rest = i === start + 3 ? high : rest >>> 8;
  }
}

/** Little-endian, unsigned. */
function int32At(body: Uint8Array, at: number): number {
  const low = (body[at] as number) | ((body[at + 1] as number) << 8) | ((body[at + 2] as number) << 16);
  return low + (body[at + 3] as number) * 0x100_0000;
}
