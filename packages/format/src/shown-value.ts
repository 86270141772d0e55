const SHOWN_LENGTH = 300;

/** Any value in the message of an error: a string in quotes, an object by its fields; one line, and not a long one. Never throws. */
export function shownValue(value: unknown): string {
  try {
    const isObject = typeof value === "object" && value !== null;
    const text = typeof value === "string" || isObject ? JSON.stringify(value, showBigInt) : String(value);
    const line = String(text).replace(/\s+/g, " ");
    return line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH)}…` : line;
  } catch {
    return typeof value;
  }
}

function showBigInt(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
