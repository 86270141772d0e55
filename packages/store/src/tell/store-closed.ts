import { MillraceError } from "@millrace/format";

/** What every call is answered with from the moment of the close on. */
export function storeClosed(): MillraceError {
  return new MillraceError("ERR_STORE_CLOSED", "the store is closed: state=closed", { status: "SERVICE_NOT_AVAILABLE" });
}
