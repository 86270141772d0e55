import {
  decodeProperties,
  MessageChecker,
  messageVerdictName,
  PROPERTY_CRC_LENGTH,
  PROPERTY_CRC_NAME,
  PROPERTY_KEYS,
  PROPERTY_TAGS,
} from "@millrace/format";
import type { AcknowledgementLog } from "./acknowledgement-log.js";
import { RECORD_OVERHEAD_MAX } from "./load-options.js";
import type { MessageContent } from "./message-content.js";
import type { SegmentReader } from "./segment-reader.js";

const UNITS_PER_TURN = 4096;
const PROBLEMS_KEPT = 10;

export interface Verification {
  /** Messages found whole and right. */
  verified: number;
  /** Acknowledged messages that are not. */
  lost: number;
  /** What is wrong with the first of them. */
  readonly problems: string[];
}

/** Longest record of this load. */
export function recordMax(messageSize: number): number {
  return messageSize + RECORD_OVERHEAD_MAX;
}

/**
 * Compares every acknowledged message with the record at the offset that the acknowledgement named: CRC, topic, queue, queue offset,
 * body, tags and keys. Gives the event loop a turn now and then.
 */
export class LogVerifier {
  readonly result: Verification = { verified: 0, lost: 0, problems: [] };
  readonly #reader: SegmentReader;
  readonly #content: MessageContent;
  readonly #acks: AcknowledgementLog;
  readonly #checker = new MessageChecker();
  readonly #topics = new Map<string, Uint8Array>();
  /** Property strings, without the CRC, that were found to say exactly this tag. */
  readonly #properties = new Map<string | undefined, Buffer>();

  constructor(reader: SegmentReader, content: MessageContent, acks: AcknowledgementLog) {
    this.#reader = reader;
    this.#content = content;
    this.#acks = acks;
  }

  /** @param units how many were sent, acknowledged or not */
  async verify(units: number): Promise<Verification> {
    for (let unit = 0; unit < units; unit++) {
      if (unit % UNITS_PER_TURN === UNITS_PER_TURN - 1) await new Promise((resolve) => setImmediate(resolve));
      const offset = this.#acks.physicalOffsetOf(unit);
      if (offset >= 0) this.#verifyUnit(unit, offset, this.#acks.queueOffsetOf(unit));
    }
    this.#reader.close();
    return this.result;
  }

  #verifyUnit(unit: number, firstOffset: number, queueOffset: number): void {
    let offset = firstOffset;
    const { batchSize } = this.#content;
    for (let index = 0; index < batchSize; index++) {
      const found = this.#verifyMessage(unit, unit * batchSize + index, offset, queueOffset + index);
      if (typeof found === "string") {
        this.#lose(batchSize - index, `message ${unit * batchSize + index} at offset ${offset}: ${found}`);
        return;
      }
      this.result.verified++;
      offset += found;
    }
  }

  #lose(messages: number, problem: string): void {
    this.result.lost += messages;
    if (this.result.problems.length < PROBLEMS_KEPT) this.result.problems.push(problem);
  }

  /** The record's length, or what is wrong. */
  #verifyMessage(unit: number, number: number, offset: number, queueOffset: number): number | string {
    const { bytes, view } = this.#reader;
    let position: number;
    try {
      position = this.#reader.seek(offset);
    } catch (error) {
      return (error as Error).message;
    }
    const record = this.#checker;
    const size = record.check(view, bytes, position, this.#reader.length, offset, true);
    if (size <= 0) return messageVerdictName(size);
    if (!this.#topicMatches(this.#content.topicOf(unit))) return "wrong topic";
    if (record.queueId !== this.#content.queueIdOf(unit)) return `wrong queue: queueId=${record.queueId}`;
    if (record.queueOffset !== queueOffset) return `acknowledged as ${queueOffset}: queueOffset=${record.queueOffset}`;
    if (!this.#content.bodyMatches(number, bytes, record.bodyPosition, record.bodyLength)) return "wrong body";
    return this.#propertiesMatch(number) ? size : "wrong tags or keys";
  }

  #topicMatches(topic: string): boolean {
    let expected = this.#topics.get(topic);
    if (expected === undefined) {
      expected = Buffer.from(topic);
      this.#topics.set(topic, expected);
    }
    const { topicPosition, topicLength } = this.#checker;
    return this.#reader.bytes.compare(expected, 0, expected.length, topicPosition, topicPosition + topicLength) === 0;
  }

  #propertiesMatch(number: number): boolean {
    const { propertiesPosition, propertiesLength } = this.#checker;
    const tag = this.#content.tagOf(number);
    const key = this.#content.keyOf(number);
    const end = propertiesPosition + propertiesLength;
    const known = key === undefined ? this.#properties.get(tag) : undefined;
    if (known !== undefined && known.length === propertiesLength - PROPERTY_CRC_LENGTH) {
      if (this.#reader.bytes.compare(known, 0, known.length, propertiesPosition, propertiesPosition + known.length) === 0)
        return true;
    }
    const properties = decodeProperties(this.#reader.bytes.subarray(propertiesPosition, end));
    if (properties.get(PROPERTY_TAGS) !== tag || properties.get(PROPERTY_KEYS) !== key) return false;
    if (properties.has(PROPERTY_CRC_NAME)) {
      this.#properties.set(tag, Buffer.from(this.#reader.bytes.subarray(propertiesPosition, end - PROPERTY_CRC_LENGTH)));
    }
    return true;
  }
}
