import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  bodyOffsetOf,
  encodedLength,
  encodeHost,
  encodeMessage,
  type MessageFields,
  MessageSealer,
  PROPERTY_KEYS,
  PROPERTY_TAGS,
  segmentFileName,
  storedPropertiesLength,
  writeBlankRecord,
} from "@millrace/format";
import { AcknowledgementLog } from "#scripts/load-generator/acknowledgement-log.js";
import type { LoadMessage } from "#scripts/load-generator/load-target.js";
import { LogVerifier, recordMax, type Verification } from "#scripts/load-generator/log-verifier.js";
import { MessageContent } from "#scripts/load-generator/message-content.js";
import { SegmentReader } from "#scripts/load-generator/segment-reader.js";
import { encodeProperties } from "../../support/property-string.js";

const SEGMENT_SIZE = 4096;

/** A commit log made of the load generator's own messages, written without a store. */
export class RecordedLog {
  readonly acks = new AcknowledgementLog();
  readonly content: MessageContent;
  readonly messageSize: number;
  readonly segments: Uint8Array[] = [];
  readonly #sealer = new MessageSealer();
  readonly #host = encodeHost({ address: "127.0.0.1", port: 1 });
  readonly #queueOffsets = new Map<string, number>();
  #offset = 0;

  constructor(options: ConstructorParameters<typeof MessageContent>[0]) {
    this.content = new MessageContent(options);
    this.messageSize = options.messageSize;
  }

  /** Records the units and notes them as acknowledged. */
  record(units: number, firstUnit = 0): void {
    const messages = this.content.allocate();
    for (let unit = firstUnit; unit < firstUnit + units; unit++) {
      this.content.fill(messages, unit);
      const fields = messages.map((message) => this.#fields(message));
      const length = fields.reduce((sum, message) => sum + encodedLength(message, storedPropertiesLength(message, true)), 0);
      this.#rollFor(length);
      const first = messages[0] as LoadMessage;
      this.acks.set(unit, this.#offset, this.#queueOffsets.get(`${first.topic} ${first.queueId}`) ?? 0);
      fields.forEach((message, index) => {
        this.#append(message, messages[index] as LoadMessage);
      });
    }
  }

  /** Where the record of a unit of one message starts, in its segment. */
  placeOf(unit: number): { segment: Uint8Array; position: number } {
    const offset = this.acks.physicalOffsetOf(unit);
    return { segment: this.segments[Math.floor(offset / SEGMENT_SIZE)] as Uint8Array, position: offset % SEGMENT_SIZE };
  }

  async verify(directory: string, units: number): Promise<Verification> {
    mkdirSync(directory, { recursive: true });
    this.segments.forEach((bytes, index) => {
      writeFileSync(join(directory, segmentFileName(index * SEGMENT_SIZE)), bytes);
    });
    const reader = new SegmentReader(directory, SEGMENT_SIZE, recordMax(this.messageSize));
    return new LogVerifier(reader, [{ content: this.content, acks: this.acks, units }]).verify(0, this.#offset);
  }

  #fields(message: LoadMessage): MessageFields {
    const properties = encodeProperties(
      [
        [PROPERTY_KEYS, message.keys],
        [PROPERTY_TAGS, message.tags],
      ],
      true,
    );
    return {
      topic: Buffer.from(message.topic),
      queueId: message.queueId,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 1,
      bornHost: this.#host,
      storeHost: this.#host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: message.body,
      properties,
      propertiesLength: properties.length,
    };
  }

  #rollFor(length: number): void {
    const position = this.#offset % SEGMENT_SIZE;
    const rest = SEGMENT_SIZE - position;
    if (this.segments.length > 0 && rest >= length + 8) return;
    const last = this.segments.at(-1);
    if (last !== undefined) {
      writeBlankRecord(new DataView(last.buffer), position, rest);
      this.#offset += rest;
    }
    this.segments.push(new Uint8Array(SEGMENT_SIZE));
  }

  #append(fields: MessageFields, message: LoadMessage): void {
    const bytes = this.segments.at(-1) as Uint8Array;
    const view = new DataView(bytes.buffer);
    const position = this.#offset % SEGMENT_SIZE;
    const stored = storedPropertiesLength(fields, true);
    const length = encodedLength(fields, stored);
    const lane = `${message.topic} ${message.queueId}`;
    const queueOffset = this.#queueOffsets.get(lane) ?? 0;
    encodeMessage(view, bytes, position, fields, length, stored);
    this.#sealer.seal(view, bytes, position, length, bodyOffsetOf(fields), queueOffset, this.#offset, 1, true);
    this.#queueOffsets.set(lane, queueOffset + 1);
    this.#offset += length;
  }
}
