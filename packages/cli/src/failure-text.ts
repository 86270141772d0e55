import { ERROR_CODES, MillraceError } from "@millrace/store";

/** Code and message; for a code of Millrace's, what it means and what helps. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return `${String(error)}\n`;
  if (error instanceof MillraceError) {
    const { meaning, remedy } = ERROR_CODES[error.code];
    return `${error.code}: ${error.message}\n${meaning}\n${remedy}\n`;
  }
  const code = "code" in error ? `${String(error.code)}: ` : "";
  return `${error.message.startsWith(code) ? "" : code}${error.message}\n`; // the system's have it in their messages
}
