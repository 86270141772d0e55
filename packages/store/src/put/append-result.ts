import type { PutRingProducer } from "@millrace/shared-memory";
import { AppendMessageResult } from "./put-message-result.js";

/** What a frame's result cannot tell: kept only for batches and for hosts that are not the store's. */
export interface FrameDetails {
  readonly storeHost: Uint8Array;
  readonly lengths: readonly number[] | undefined;
}

/** The answer to a frame that has been appended. */
export function appendResultOf(
  ring: PutRingProducer,
  slot: number,
  details: FrameDetails | undefined,
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
