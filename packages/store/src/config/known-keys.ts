import { MillraceError, type MillraceErrorCode, nearestName } from "@millrace/format";

/** The keys of what a method takes; the compiler asks for each. */
export function knownKeys<T>(keys: Readonly<Record<keyof T & string, true>>): ReadonlySet<string> {
  return new Set(Object.keys(keys));
}

/** So many keys are listed where one is refused. */
const MOST_LISTED = 12;

/**
 * Refuses an object with a key that nothing reads: misspelt, it would silently not count.
 *
 * @param what an option, or a key of something else
 * @throws MillraceError with this `code`
 */
export function checkKnownKeys(object: object, known: ReadonlySet<string>, code: MillraceErrorCode, what = "key"): void {
  for (const name of Object.keys(object)) {
    if (known.has(name)) continue;
    throw new MillraceError(code, `there is no such ${what}${remedy(name, known)}: name=${name.slice(0, 300)}`);
  }
}

function remedy(name: string, known: ReadonlySet<string>): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `; did you mean ${nearest}?`;
  return known.size > MOST_LISTED ? "" : `, only ${[...known].join(", ")}`;
}
