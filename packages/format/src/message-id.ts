/** Message id: store host and physical offset in upper-case hex, 32 characters for an IPv4 host, 56 for IPv6. Nowhere stored. */

import { highWord } from "./big-endian.js";
import type { Host } from "./host.js";
import { decodeHost } from "./host.js";
import { IPV4_HOST_LENGTH, IPV6_HOST_LENGTH } from "./message-descriptor.js";
import { MillraceError } from "./millrace-error.js";
import { shownValue } from "./shown-value.js";

const OFFSET_HEX_LENGTH = 16;
const ID_LENGTHS = [2 * IPV4_HOST_LENGTH + OFFSET_HEX_LENGTH, 2 * IPV6_HOST_LENGTH + OFFSET_HEX_LENGTH];
const HEX_PATTERN = /^[0-9a-fA-F]*$/;

export interface MessageId {
  host: Host;
  physicalOffset: number;
}

function hex32(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}

/** @param storeHost 8 or 20 bytes, as in the record */
export function encodeMessageId(storeHost: Uint8Array, physicalOffset: number): string {
  let host = "";
  for (const byte of storeHost) host += (byte < 16 ? "0" : "") + byte.toString(16);
  return (host + hex32(highWord(physicalOffset)) + hex32(physicalOffset)).toUpperCase();
}

/** @throws MillraceError `ERR_MESSAGE_ID_ILLEGAL` */
export function decodeMessageId(id: string): MessageId {
  if (!ID_LENGTHS.includes(id.length) || !HEX_PATTERN.test(id)) throw illegal(id);
  const hostHex = id.slice(0, -OFFSET_HEX_LENGTH);
  const physicalOffset = Number(`0x${id.slice(-OFFSET_HEX_LENGTH)}`);
  if (!Number.isSafeInteger(physicalOffset)) throw illegal(id);
  const host = Uint8Array.from({ length: hostHex.length / 2 }, (_, i) => Number.parseInt(hostHex.slice(2 * i, 2 * i + 2), 16));
  return { host: decodeHost(host), physicalOffset };
}

function illegal(id: string): MillraceError {
  return new MillraceError("ERR_MESSAGE_ID_ILLEGAL", `not a message id: id=${shownValue(id)}`);
}
