import { UsageError } from "./usage-error.js";

/** Readers of option values: each takes the text as typed and throws {@link UsageError} with the option's name. */

/** Of sizes, counts and hours, as the store takes them. */
export const INT_MAX = 0x7fffffff;
export const QUEUE_ID_MAX = 0x7fffffff;

export function integer(name: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`an integer from ${least} to ${most} without a unit is needed: --${name}=${text}`);
  }
  return value;
}

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["B", 1],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
]);

/** Bytes, from `128`, `1KiB`, `64MiB`. */
export function size(name: string, text: string, least: number, most: number): number {
  const [, digits, unit = ""] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = SIZE_UNITS.get(unit);
  if (digits === undefined || factor === undefined) {
    throw new UsageError(`bytes are needed, as 128, 1KiB, 64MiB or 1GiB: --${name}=${text}`);
  }
  const value = Number(digits) * factor;
  if (value < least || value > most) throw new UsageError(`${least} to ${most} bytes are needed: --${name}=${text}`);
  return value;
}

const TIME_UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["ms", 0.001],
  ["s", 1],
  ["m", 60],
]);

/** Seconds, from `5`, `5s`, `500ms`, `1.5m`. */
export function seconds(name: string, text: string, least: number, most: number): number {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = TIME_UNITS.get(unit);
  if (digits === undefined || factor === undefined) {
    throw new UsageError(`a time is needed, as 5s, 500ms or 2m: --${name}=${text}`);
  }
  const value = Number(digits) * factor;
  if (value < least || value > most) throw new UsageError(`${least} to ${most} seconds are needed: --${name}=${text}`);
  return value;
}

export function oneOf<T extends string>(name: string, text: string, values: readonly T[]): T {
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw new UsageError(`${values.join(" or ")} is needed: --${name}=${text}`);
  return value;
}
