import {
  BATCH_BASE_LENGTH,
  BATCH_BODY_LENGTH_OFFSET,
  BATCH_BODY_OFFSET,
  BATCH_FLAG_OFFSET,
  BATCH_PROPERTIES_LENGTH_BYTES,
  BATCH_TOTAL_SIZE_OFFSET,
} from "./message-batch-descriptor.js";
import { PROPERTIES_MAX_LENGTH } from "./message-descriptor.js";
import { MillraceError } from "./millrace-error.js";

/** One message of a client's batch. (RocketMQ: `MessageDecoder.encodeMessages`.) */
export interface MessageBatchEntry {
  flag: number;
  body: Uint8Array;
  /** The encoded property string. */
  properties: Uint8Array;
}

/** @throws MillraceError `ERR_PROPERTIES_TOO_LARGE` */
export function encodeMessageBatch(entries: readonly MessageBatchEntry[]): Uint8Array {
  let length = 0;
  for (const { body, properties } of entries) {
    if (properties.length > PROPERTIES_MAX_LENGTH) {
      throw new MillraceError("ERR_PROPERTIES_TOO_LARGE", `properties are too long: length=${properties.length}`);
    }
    length += BATCH_BASE_LENGTH + body.length + properties.length;
  }
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let position = 0;
  for (const { flag, body, properties } of entries) {
    view.setInt32(position + BATCH_TOTAL_SIZE_OFFSET, BATCH_BASE_LENGTH + body.length + properties.length);
    view.setInt32(position + BATCH_FLAG_OFFSET, flag);
    view.setInt32(position + BATCH_BODY_LENGTH_OFFSET, body.length);
    bytes.set(body, position + BATCH_BODY_OFFSET);
    position += BATCH_BODY_OFFSET + body.length;
    view.setInt16(position, properties.length);
    position += BATCH_PROPERTIES_LENGTH_BYTES;
    bytes.set(properties, position);
    position += properties.length;
  }
  return bytes;
}

/**
 * Bodies and properties are views of `bytes`, not copies.
 *
 * @throws MillraceError `ERR_BATCH_ILLEGAL` when a length does not fit
 */
export function decodeMessageBatch(bytes: Uint8Array): MessageBatchEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: MessageBatchEntry[] = [];
  let position = 0;
  while (position < bytes.length) {
    const room = bytes.length - position;
    const total = room < BATCH_BASE_LENGTH ? 0 : view.getInt32(position + BATCH_TOTAL_SIZE_OFFSET);
    if (total < BATCH_BASE_LENGTH || total > room) throw illegal(position);
    const bodyLength = view.getInt32(position + BATCH_BODY_LENGTH_OFFSET);
    if (bodyLength < 0 || bodyLength > total - BATCH_BASE_LENGTH) throw illegal(position);
    const bodyAt = position + BATCH_BODY_OFFSET;
    const propertiesLength = view.getInt16(bodyAt + bodyLength);
    if (propertiesLength !== total - BATCH_BASE_LENGTH - bodyLength) throw illegal(position);
    entries.push({
      flag: view.getInt32(position + BATCH_FLAG_OFFSET),
      body: bytes.subarray(bodyAt, bodyAt + bodyLength),
      properties: bytes.subarray(position + total - propertiesLength, position + total),
    });
    position += total;
  }
  return entries;
}

function illegal(position: number): MillraceError {
  return new MillraceError("ERR_BATCH_ILLEGAL", `no message in the batch here: position=${position}`);
}
