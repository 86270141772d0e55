import type { PutRingProducer } from "@millrace/shared-memory";
import type { Details } from "./ack-details.js";
import { AppendMessageResult } from "./put-message-result.js";

/** The answer to a frame that has been appended. */
export function appendResultOf(
  ring: PutRingProducer,
  slot: number,
  details: Details | undefined,
  storeHost: Uint8Array,
): AppendMessageResult {
  return new AppendMessageResult(
    ring.resultPhysicalOffset(slot),
    ring.recordLength(slot),
    ring.resultStoreTimestamp(slot),
    ring.resultQueueOffset(slot),
    ring.messages(slot),
    details === undefined ? storeHost : details.storeHost,
    details?.lengths,
  );
}
