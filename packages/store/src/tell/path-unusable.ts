import { MillraceError } from "@millrace/format";
import { CallerFailure } from "../config/progress-calls.js";

/**
 * What the system says about a file, as an error of ours; everything else, and all that a function of the caller's has thrown, as it is.
 *
 * @param what could not be done, for the message
 * @param path where the system names none
 */
export function pathUnusable(cause: unknown, what: string, path: string): unknown {
  if (cause instanceof CallerFailure) return cause.thrown;
  if (!isOfSystem(cause)) return cause;
  const named = "path" in cause ? cause.path : path;
  const text = `${what}: code=${cause.code} path=${named} reason=${cause.message.replace(/\s+/g, " ")}`;
  return new MillraceError("ERR_PATH_UNUSABLE", text, { cause });
}

/** Whether an error is the system's own, with a code such as EMFILE. */
export function isOfSystem(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && "code" in error && typeof error.code === "string" && !error.code.startsWith("ERR_");
}
