import { types } from "node:util";

/**
 * What callers hand in, told apart by what it is and not by whose class it is: values that come from a `node:vm` context (a test runner's,
 * for one) are no instances of the classes known here.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || types.isUint8Array(value);
}

/** Milliseconds since 1970 of a time that is given so or as a Date; NaN for everything else. */
export function millisecondsOf(time: unknown): number {
  if (typeof time === "number") return time;
  return types.isDate(time) ? Date.prototype.getTime.call(time) : Number.NaN;
}
