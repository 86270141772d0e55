import { NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR } from "./message-descriptor.js";

/**
 * Position of a property's value in the property string at [start, end), -1 without it; the value ends at {@link propertyEnd}. Which pairs
 * count is decided as by the parser of the whole string: not those with an empty name or value; of equal names the last.
 */
export function findProperty(bytes: Uint8Array, start: number, end: number, name: Uint8Array): number {
  let found = -1;
  for (let at = start; at < end; ) {
    const pairEnd = propertyEnd(bytes, at, end);
    const valueAt = at + name.length + 1;
    if (valueAt < pairEnd && bytes[valueAt - 1] === NAME_VALUE_SEPARATOR && isNameAt(name, bytes, at)) found = valueAt;
    at = pairEnd + 1;
  }
  return found;
}

/** Where the pair, or the value, that goes on at a position ends. */
export function propertyEnd(bytes: Uint8Array, position: number, end: number): number {
  let at = position;
  while (at < end && bytes[at] !== PROPERTY_SEPARATOR) at++;
  return at;
}

export function isNameAt(name: Uint8Array, bytes: Uint8Array, position: number): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[position + i] !== name[i]) return false;
  return true;
}
