import { MillraceError, type MillraceErrorCode } from "@millrace/format";

/** The keys of what a method takes; the compiler asks for each. */
export function knownKeys<T>(keys: Readonly<Record<keyof T & string, true>>): ReadonlySet<string> {
  return new Set(Object.keys(keys));
}

/**
 * Refuses an object with a key that nothing reads: misspelt, it would silently not count.
 *
 * @throws MillraceError with this `code`
 */
export function checkKnownKeys(object: object, known: ReadonlySet<string>, code: MillraceErrorCode): void {
  for (const name of Object.keys(object)) {
    if (known.has(name)) continue;
    throw new MillraceError(code, `there is no such key, only ${[...known].join(", ")}: name=${name.slice(0, 300)}`);
  }
}
