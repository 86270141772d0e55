import { HA_TRANSFER_HEADER_LENGTH } from "@millrace/format";

/** A log whose every byte follows from where it lies. */
export function fillLog(target: Uint8Array, offset: number): void {
  for (let i = 0; i < target.length; i++) target[i] = logByte(offset + i);
}

export function logByte(offset: number): number {
  return Math.imul(offset | 0, 0x9e37_79b1) >>> 24;
}

/** How many bytes of a slave's log are not those of the log. */
export function wrongBytes(bytes: Uint8Array, offset: number): number {
  let wrong = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== logByte(offset + i)) wrong++;
  return wrong;
}

/** A group as it lies in the staging area, with room for a header. */
export function laneGroup(offset: number, length: number): { readonly transfer: Uint8Array } {
  const transfer = new Uint8Array(HA_TRANSFER_HEADER_LENGTH + length);
  fillLog(transfer.subarray(HA_TRANSFER_HEADER_LENGTH), offset);
  return { transfer };
}
