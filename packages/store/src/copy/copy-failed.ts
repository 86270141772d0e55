import { MillraceError } from "@millrace/format";

/** What the system says while a directory is copied, as an error of ours; those as they are. */
export function copyFailed(cause: unknown, directory: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code === undefined ? "" : `, reason=${code}`;
  return new MillraceError("ERR_COPY_FAILED", `copying failed (${message}): path=${String(directory)}${reason}`, { cause });
}
