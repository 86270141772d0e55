import { inspect } from "node:util";

const SHOWN_LENGTH = 300;

/** Any value in the message of an error: text in quotes, an object by its fields; one line, and not a long one. Never throws. */
export function shownValue(value: unknown): string {
  try {
    const line = textOf(value).replace(/\s+/g, " ");
    return line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH)}…` : line;
  } catch {
    return typeof value;
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > SHOWN_LENGTH ? value.slice(0, SHOWN_LENGTH) : value);
  if (typeof value !== "object" || value === null || value instanceof Error) return String(value);
  return inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 10, maxStringLength: SHOWN_LENGTH });
}
