import { ERROR_CODES } from "@millrace/format";

/** How a case can end. */
export const VERDICTS = ["right", "excepted", "WRONG", "HANG", "UNCODED", "DEATH"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What one life of a store met. `TOLD` is a coded refusal of something: right, unless it stays where it could have been mended. */
export interface Finding {
  readonly verdict: "WRONG" | "UNCODED" | "TOLD";
  readonly what: string;
}

const CODES = new Set<string>(Object.keys(ERROR_CODES));

/** The code of an error of ours; undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && CODES.has(code) ? code : undefined;
}

/** An error that reached a caller: coded or not. */
export function findingOf(error: unknown, where: string): Finding {
  const code = codeOf(error);
  if (code !== undefined) return { verdict: "TOLD", what: `${code} ${where}: ${(error as Error).message}` };
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  return { verdict: "UNCODED", what: `${text.split("\n").slice(0, 3).join(" ")} ${where}` };
}
