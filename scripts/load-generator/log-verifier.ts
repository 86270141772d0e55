import {
  decodeProperties,
  MessageChecker,
  MessageVerdict,
  messageVerdictName,
  PROPERTY_CRC_LENGTH,
  PROPERTY_CRC_NAME,
  PROPERTY_KEYS,
  PROPERTY_TAGS,
} from "@millrace/format";
import { RECORD_OVERHEAD_MAX } from "./load-options.js";
import type { MessageContent } from "./message-content.js";
import { type ProducedLoad, UnitsInLog } from "./produced-load.js";
import type { SegmentReader } from "./segment-reader.js";

const UNITS_PER_TURN = 4096;
const PROBLEMS_KEPT = 10;

export interface Verification {
  /** Messages found whole and right. */
  verified: number;
  /** Acknowledged messages that are not. */
  lost: number;
  /** Records that no put accounts for, or that are there twice; and messages whose places are not in the order of their puts. */
  unexpected: number;
  /** What is wrong with the first of them. */
  readonly problems: string[];
}

/** Longest record of this load. */
export function recordMax(messageSize: number): number {
  return messageSize + RECORD_OVERHEAD_MAX;
}

/**
 * Compares every acknowledged message with the record at the offset that the acknowledgement named: CRC, topic, queue, queue offset,
 * body, tags and keys. Between two of them there may be nothing but the end of a segment, and records of puts that have failed. Gives
 * the event loop a turn now and then.
 */
export class LogVerifier {
  readonly result: Verification = { verified: 0, lost: 0, unexpected: 0, problems: [] };
  readonly #reader: SegmentReader;
  readonly #units: UnitsInLog;
  readonly #checker = new MessageChecker();
  readonly #topics = new Map<string, Uint8Array>();
  /** Property strings, without the CRC, that were found to say exactly this tag. */
  readonly #properties = new Map<string | undefined, Buffer>();
  /** Messages that were sent and not acknowledged: so many records may be there all the same. */
  #unanswered = 0;

  constructor(reader: SegmentReader, loads: readonly ProducedLoad[]) {
    this.#reader = reader;
    this.#units = new UnitsInLog(loads);
    for (const { content, acks, units } of loads) {
      for (let unit = 0; unit < units; unit++) if (acks.physicalOffsetOf(unit) < 0) this.#unanswered += content.batchSize;
    }
  }

  /**
   * @param from where the log ended when the load began
   * @param end where it ends
   */
  async verify(from: number, end: number): Promise<Verification> {
    const units = this.#units;
    // Undefined behind a message that is lost: nothing says where the next record begins.
    let at: number | undefined = from;
    for (let turn = 1; units.next(); turn++) {
      if (turn % UNITS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      if (at !== undefined && units.offset < at) this.#unexpected(this.#misplaced(at));
      else if (at !== undefined) this.#walk(at, units.offset);
      at = this.#verifyUnit();
    }
    if (at !== undefined) this.#walk(at, end);
    this.#reader.close();
    return this.result;
  }

  #misplaced(at: number): string {
    const { load, unit, offset } = this.#units;
    const number = unit * load.content.batchSize;
    return `message ${number} was acknowledged with a place before the end of another one: offset=${offset} end=${at}`;
  }

  /** What lies between two acknowledged units, or after the last one. */
  #walk(from: number, end: number): void {
    const { bytes, view } = this.#reader;
    for (let at = from; at < end; ) {
      const position = this.#seek(at);
      if (typeof position === "string") return this.#unexpected(position);
      const size = this.#checker.check(view, bytes, position, this.#reader.length, at, true);
      if (size < 0) return this.#unexpected(`what lies at offset ${at} is no record: ${messageVerdictName(size)}`);
      if (size === MessageVerdict.BLANK) {
        at += this.#checker.blankLength;
        continue;
      }
      const { topicPosition, topicLength, queueId, queueOffset } = this.#checker;
      const topic = bytes.toString("utf8", topicPosition, topicPosition + topicLength);
      if (this.#unanswered > 0) this.#unanswered--;
      else {
        this.#unexpected(
          `no put accounts for the record at offset ${at}: topic=${topic} queueId=${queueId} queueOffset=${queueOffset}`,
        );
      }
      at += size;
    }
  }

  #unexpected(problem: string): void {
    this.result.unexpected++;
    this.#note(problem);
  }

  /** Where the unit's records end; undefined when one of them is lost. */
  #verifyUnit(): number | undefined {
    const { load, unit } = this.#units;
    const { acks, content } = load;
    const { batchSize } = content;
    let { offset } = this.#units;
    for (let index = 0; index < batchSize; index++) {
      const number = unit * batchSize + index;
      const found = this.#verifyMessage(content, unit, number, offset, acks.queueOffsetOf(unit) + index);
      if (typeof found === "string") {
        this.result.lost += batchSize - index;
        this.#note(`message ${number} at offset ${offset}: ${found}`);
        return undefined;
      }
      this.result.verified++;
      offset += found;
    }
    return offset;
  }

  #note(problem: string): void {
    if (this.result.problems.length < PROBLEMS_KEPT) this.result.problems.push(problem);
  }

  /** The record's length, or what is wrong. */
  #verifyMessage(content: MessageContent, unit: number, number: number, offset: number, queueOffset: number): number | string {
    const { bytes, view } = this.#reader;
    const position = this.#seek(offset);
    if (typeof position === "string") return position;
    const record = this.#checker;
    const size = record.check(view, bytes, position, this.#reader.length, offset, true);
    if (size <= 0) return messageVerdictName(size);
    if (!this.#topicMatches(content.topicOf(unit))) return "wrong topic";
    if (record.queueId !== content.queueIdOf(unit)) return `wrong queue: queueId=${record.queueId}`;
    if (record.queueOffset !== queueOffset) return `acknowledged as ${queueOffset}: queueOffset=${record.queueOffset}`;
    if (!content.bodyMatches(number, bytes, record.bodyPosition, record.bodyLength)) return "wrong body";
    return this.#propertiesMatch(content, number) ? size : "wrong tags or keys";
  }

  /** Position in the reader's bytes, or why there is none. */
  #seek(offset: number): number | string {
    try {
      return this.#reader.seek(offset);
    } catch (error) {
      return (error as Error).message;
    }
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

  #propertiesMatch(content: MessageContent, number: number): boolean {
    const { propertiesPosition, propertiesLength } = this.#checker;
    const tag = content.tagOf(number);
    const key = content.keyOf(number);
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
