import { MillraceError } from "@millrace/format";

/** What the system says while a directory is copied, as an error of ours; those as they are. */
export function copyFailed(cause: unknown, directory: string): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const { code: reason, message } = cause as NodeJS.ErrnoException;
  return new MillraceError("ERR_COPY_FAILED", `copying failed (${message}): path=${directory}, reason=${reason}`, { cause });
}
