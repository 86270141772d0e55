import {
  BODY_CRC_OFFSET,
  bodyOffsetOf,
  crc32,
  encodedLength,
  encodeMessage,
  type MessageFields,
  PROPERTIES_LENGTH_BYTES,
  PROPERTY_CRC_LENGTH,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_OFFSET,
  SYS_FLAG_STORE_HOST_V6,
} from "@millrace/format";
import { type Kernels, LONG_BODY, loadKernels, type SharedMemoryObject } from "@millrace/kernels";
import type { PutRingBuffers } from "@millrace/shared-memory";
import { PROPERTY_SCRATCH_LENGTH } from "./property-writer.js";
import type { Topic } from "./topic-table.js";

const TEMPLATES = 256;
/** An empty message with two IPv6 hosts and the longest topic has 391 bytes. */
const TEMPLATE_LENGTH = 512;
const PROPERTIES_START = TEMPLATES * TEMPLATE_LENGTH;
const EMPTY = new Uint8Array(0);
/** Below this many bytes a loop is faster than TypedArray.set. */
const LOOP_COPY_LIMIT = 32;
const HOST_FLAGS = SYS_FLAG_BORN_HOST_V6 | SYS_FLAG_STORE_HOST_V6;

/** What a producer works in. */
export interface ProducerMemory {
  readonly kernelMemory: SharedMemoryObject;
  readonly ring: PutRingBuffers;
}

interface Template {
  topic: Uint8Array;
  bornHost: Uint8Array;
  storeHost: Uint8Array;
  bodyOffset: number;
  topicLength: number;
  hostFlags: number;
}

/**
 * The encode kernel: a record's fixed parts are copied from a template, an empty message to the same topic with the same hosts. A topic has
 * one template at a time, in a place that it may share with others; one with other hosts is made when it is needed. A producer's own.
 */
export class RecordEncoder {
  /** Where the properties of the next message are written. */
  readonly properties: Uint8Array;
  /** Of the record written last: where its body begins in it. */
  bodyOffset = 0;
  readonly withBodyCrc: boolean;
  readonly #ringView: DataView;
  readonly #kernels: Kernels;
  readonly #region: Uint8Array;
  readonly #view: DataView;
  readonly #ring: Uint8Array;
  readonly #withCrc: boolean;
  readonly #templates: Template[] = [];
  readonly #empty: MessageFields;

  /**
   * The ring's scratch has the templates, then one message's properties.
   *
   * @param withBodyCrc the body's CRC is left for the appender, all 32 bits, in the place of the body CRC: `FRAME_FLAG_BODY_CRC`
   */
  constructor({ kernelMemory, ring: { bytes, scratch } }: ProducerMemory, appendPropertyCrc: boolean, withBodyCrc: boolean) {
    this.withBodyCrc = withBodyCrc;
    this.#ringView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#kernels = loadKernels(kernelMemory);
    this.#region = scratch;
    this.#view = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength);
    this.#ring = bytes;
    this.#withCrc = appendPropertyCrc;
    this.properties = scratch.subarray(PROPERTIES_START, PROPERTIES_START + PROPERTY_SCRATCH_LENGTH);
    const none = { topic: EMPTY, bornHost: EMPTY, storeHost: EMPTY, bodyOffset: 0, topicLength: 0, hostFlags: 0 };
    for (let i = 0; i < TEMPLATES; i++) this.#templates.push({ ...none });
    this.#empty = {
      topic: EMPTY,
      queueId: 0,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: EMPTY,
      storeHost: EMPTY,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: EMPTY,
      properties: EMPTY,
      propertiesLength: 0,
    };
  }

  /** Writes a message at `position` of the ring; `fields.properties` are this encoder's. Lengths as `encodeMessage` takes them. */
  encode(topic: Topic, position: number, fields: MessageFields, length: number, storedProperties: number): void {
    const place = topic.ordinal % TEMPLATES;
    const template = this.#templates[place] as Template;
    const { body, bornHost, storeHost } = fields;
    if (template.topic !== fields.topic || template.bornHost !== bornHost || template.storeHost !== storeHost)
      this.#make(template, place * TEMPLATE_LENGTH, fields);
    const ring = this.#ring;
    const { bodyOffset } = template;
    this.bodyOffset = bodyOffset;
    this.#kernels.encode(
      this.#region.byteOffset + place * TEMPLATE_LENGTH,
      bodyOffset,
      template.topicLength,
      ring.byteOffset + position,
      length,
      body.length,
      this.properties.byteOffset,
      fields.propertiesLength,
      storedProperties,
      fields.queueId,
      fields.flag,
      (fields.sysFlag & ~HOST_FLAGS) | template.hostFlags,
      fields.bornTimestamp,
      fields.reconsumeTimes,
      fields.preparedTransactionOffset,
    );
    const at = position + bodyOffset;
    if (body.length >= LOOP_COPY_LIMIT) ring.set(body, at);
    else for (let i = 0; i < body.length; i++) ring[at + i] = body[i] as number;
    if (this.withBodyCrc) this.#ringView.setInt32(position + BODY_CRC_OFFSET, this.#crcOf(at, body.length));
  }

  /** Of what lies in the ring, not of the caller's body: it may be changed meanwhile. */
  #crcOf(at: number, length: number): number {
    if (length < LONG_BODY) return this.#kernels.crc32(this.#ring.byteOffset + at, length, 0);
    return crc32(this.#ring.subarray(at, at + length));
  }

  #make(template: Template, at: number, { topic, bornHost, storeHost }: MessageFields): void {
    const empty = this.#empty;
    empty.topic = topic;
    empty.bornHost = bornHost;
    empty.storeHost = storeHost;
    const stored = this.#withCrc ? PROPERTY_CRC_LENGTH : 0;
    const length = encodedLength(empty, stored);
    encodeMessage(this.#view, this.#region, at, empty, length, stored);
    template.topic = topic;
    template.bornHost = bornHost;
    template.storeHost = storeHost;
    template.bodyOffset = bodyOffsetOf(empty);
    template.topicLength = length - template.bodyOffset - PROPERTIES_LENGTH_BYTES - stored;
    template.hostFlags = this.#view.getInt32(at + SYS_FLAG_OFFSET) & HOST_FLAGS;
  }
}
