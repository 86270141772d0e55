import { MillraceError } from "@millrace/format";
import type { StoreFence } from "./recover/store-fence.js";

/** Why a store takes nothing more: what its puts and flushes are rejected with. */
export function closed(): MillraceError {
  return new MillraceError("ERR_STORE_CLOSED", "the store is closed: state=closed", { status: "SERVICE_NOT_AVAILABLE" });
}

/** @param what has happened */
export function fenced(what: string, fence: StoreFence): MillraceError {
  const message = `${what}; nothing is put until an operator clears it: flushedOffset=${fence.offset} reason=${fence.reason}`;
  return new MillraceError("ERR_STORE_FENCED", message, { status: "SERVICE_NOT_AVAILABLE", outcome: "unknown" });
}

export function faulted(service: string, code: string, message: string): MillraceError {
  const text = `a service ended: service=${service} code=${code} message=${message}`;
  return new MillraceError("ERR_STORE_FAULTED", text, { status: "SERVICE_NOT_AVAILABLE", outcome: "unknown" });
}
