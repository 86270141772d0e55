import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageFields } from "@millrace/format";
import {
  BLANK_RECORD_LENGTH,
  bodyOffsetOf,
  encodedLength,
  encodeHost,
  encodeMessage,
  MessageSealer,
  segmentFileName,
  storedPropertiesLength,
  writeBlankRecord,
} from "@millrace/format";

export interface BuiltRecord {
  readonly offset: number;
  readonly length: number;
  readonly storeTimestamp: number;
}

export interface RecordContent {
  readonly topic?: string;
  readonly queueId?: number;
  readonly body?: Uint8Array;
  readonly properties?: string;
  readonly sysFlag?: number;
  readonly queueOffset?: number;
}

const HOST = encodeHost({ address: "127.0.0.1", port: 10911 });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A log made record by record, in memory, with the rules of the appender: blank records, rolls, queue offsets. */
export class CommitLogBuilder {
  readonly segmentSize: number;
  readonly propertyCrc: boolean;
  readonly records: BuiltRecord[] = [];
  readonly queueOffsets = new Map<string, number>();
  /** Images by the offset of their first byte. */
  readonly segments = new Map<number, Uint8Array>();
  readonly #sealer = new MessageSealer();
  #offset: number;

  constructor(segmentSize = 4096, propertyCrc = true, fromOffset = 0) {
    this.segmentSize = segmentSize;
    this.propertyCrc = propertyCrc;
    this.#offset = fromOffset;
  }

  /** Where the next record goes. */
  get offset(): number {
    return this.#offset;
  }

  get lastStoreTimestamp(): number {
    return this.records.at(-1)?.storeTimestamp ?? 0;
  }

  add(content: RecordContent = {}): BuiltRecord {
    const { topic = "TopicA", queueId = 0, sysFlag = 0, properties = "TAGS\x01TagA\x02" } = content;
    const message: MessageFields = {
      topic: utf8(topic),
      queueId,
      flag: 7,
      sysFlag,
      bornTimestamp: 1_700_000_000_000,
      bornHost: HOST,
      storeHost: HOST,
      reconsumeTimes: 1,
      preparedTransactionOffset: 0,
      body: content.body ?? utf8(`body ${this.records.length}`),
      properties: utf8(properties),
      propertiesLength: utf8(properties).length,
    };
    const stored = storedPropertiesLength(message, this.propertyCrc);
    const length = encodedLength(message, stored);
    if (length + BLANK_RECORD_LENGTH > this.segmentSize - (this.#offset % this.segmentSize)) this.roll();
    const isCounted = sysFlag === 0 || sysFlag === 8;
    const key = `${topic}-${queueId}`;
    const queueOffset = content.queueOffset ?? (isCounted ? (this.queueOffsets.get(key) ?? 0) : 0);
    const { bytes, view, position } = this.#here();
    const storeTimestamp = 1_700_000_001_000 + this.records.length;
    encodeMessage(view, bytes, position, message, length, stored);
    const { propertyCrc } = this;
    this.#sealer.seal(view, bytes, position, length, bodyOffsetOf(message), queueOffset, this.#offset, storeTimestamp, propertyCrc);
    if (isCounted) this.queueOffsets.set(key, queueOffset + 1);
    const record = { offset: this.#offset, length, storeTimestamp };
    this.records.push(record);
    this.#offset += length;
    return record;
  }

  /** Adds records until the log is in its segment of this index, and at least so many bytes into it. */
  fillTo(segment: number, position = 1): this {
    while (this.#offset < segment * this.segmentSize + position) this.add({ queueId: this.records.length % 3 });
    return this;
  }

  /** Ends the segment by a blank record. */
  roll(): void {
    const { view, position } = this.#here();
    writeBlankRecord(view, position, this.segmentSize - position);
    this.#offset += this.segmentSize - position;
  }

  /** An allocated segment behind the last one. */
  addEmptySegment(): void {
    this.segments.set(
      [...this.segments.keys()].reduce((last, offset) => Math.max(last, offset + this.segmentSize), 0),
      this.#image(),
    );
  }

  /** XORs one byte of the log. */
  damage(offset: number, mask = 0x55): void {
    const bytes = this.image(offset);
    const position = offset % this.segmentSize;
    bytes[position] = (bytes[position] as number) ^ mask;
  }

  image(offset: number): Uint8Array {
    const bytes = this.segments.get(offset - (offset % this.segmentSize));
    if (bytes === undefined) throw new RangeError(`no segment at offset=${offset}`);
    return bytes;
  }

  write(directory: string): void {
    mkdirSync(directory, { recursive: true });
    for (const [offset, bytes] of this.segments) writeFileSync(join(directory, segmentFileName(offset)), bytes);
  }

  #here(): { bytes: Uint8Array; view: DataView<ArrayBuffer>; position: number } {
    const position = this.#offset % this.segmentSize;
    const start = this.#offset - position;
    const bytes = this.segments.get(start) ?? this.#image();
    this.segments.set(start, bytes);
    return { bytes, view: new DataView(bytes.buffer as ArrayBuffer), position };
  }

  #image(): Uint8Array {
    return new Uint8Array(this.segmentSize);
  }
}
