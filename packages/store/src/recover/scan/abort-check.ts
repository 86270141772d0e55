import { MillraceError, shownValue } from "@millrace/format";

/** @throws MillraceError `ERR_ABORTED` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new MillraceError("ERR_ABORTED", `recovery was aborted: reason=${shownValue(signal.reason)}`);
}
