import { MillraceError } from "@millrace/format";
import { StoreState } from "@millrace/shared-memory";
import { storeClosed } from "../tell/store-closed.js";

/** What a put is rejected with by the state alone, before the store's thread has said why: it is not in the log. */
export function putsEnded(state: number): MillraceError {
  const details = { status: "SERVICE_NOT_AVAILABLE" };
  if (state === StoreState.fenced)
    return new MillraceError("ERR_STORE_FENCED", "a force has failed, and no puts are taken: state=fenced", details);
  if (state === StoreState.faulted)
    return new MillraceError("ERR_STORE_FAULTED", "a service has ended, and no puts are taken: state=faulted", details);
  return storeClosed();
}
