import { getInt64, setInt64 } from "./big-endian.js";
import {
  CHECKPOINT_LENGTH,
  CONFIRM_PHYSICAL_OFFSET_OFFSET,
  INDEX_MSG_TIMESTAMP_OFFSET,
  LOGICS_MSG_TIMESTAMP_OFFSET,
  MASTER_FLUSHED_OFFSET_OFFSET,
  PHYSIC_MSG_TIMESTAMP_OFFSET,
} from "./checkpoint-descriptor.js";
import { MillraceError } from "./millrace-error.js";

/** Content of the `checkpoint` file; timestamps in milliseconds. */
export interface StoreCheckpoint {
  /** Store timestamp of the last record known to be durable. */
  physicMsgTimestamp: number;
  /** Store timestamp of the last record in the ConsumeQueues. */
  logicsMsgTimestamp: number;
  /** End timestamp of the last full index file. */
  indexMsgTimestamp: number;
  masterFlushedOffset: number;
  confirmPhysicalOffset: number;
}

/** The whole file. */
export function encodeStoreCheckpoint(checkpoint: StoreCheckpoint): Uint8Array {
  const bytes = new Uint8Array(CHECKPOINT_LENGTH);
  const view = new DataView(bytes.buffer);
  setInt64(view, PHYSIC_MSG_TIMESTAMP_OFFSET, checkpoint.physicMsgTimestamp);
  setInt64(view, LOGICS_MSG_TIMESTAMP_OFFSET, checkpoint.logicsMsgTimestamp);
  setInt64(view, INDEX_MSG_TIMESTAMP_OFFSET, checkpoint.indexMsgTimestamp);
  setInt64(view, MASTER_FLUSHED_OFFSET_OFFSET, checkpoint.masterFlushedOffset);
  setInt64(view, CONFIRM_PHYSICAL_OFFSET_OFFSET, checkpoint.confirmPhysicalOffset);
  return bytes;
}

/** @throws MillraceError `ERR_CHECKPOINT_ILLEGAL` for a wrong length, or a field that is negative or beyond 2^53 */
export function decodeStoreCheckpoint(bytes: Uint8Array): StoreCheckpoint {
  if (bytes.length !== CHECKPOINT_LENGTH) throw illegal("length", bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const checkpoint: StoreCheckpoint = {
    physicMsgTimestamp: getInt64(view, PHYSIC_MSG_TIMESTAMP_OFFSET),
    logicsMsgTimestamp: getInt64(view, LOGICS_MSG_TIMESTAMP_OFFSET),
    indexMsgTimestamp: getInt64(view, INDEX_MSG_TIMESTAMP_OFFSET),
    masterFlushedOffset: getInt64(view, MASTER_FLUSHED_OFFSET_OFFSET),
    confirmPhysicalOffset: getInt64(view, CONFIRM_PHYSICAL_OFFSET_OFFSET),
  };
  for (const [name, value] of Object.entries(checkpoint)) {
    if (!Number.isSafeInteger(value) || value < 0) throw illegal(name, value);
  }
  return checkpoint;
}

function illegal(name: string, value: unknown): MillraceError {
  return new MillraceError("ERR_CHECKPOINT_ILLEGAL", `checkpoint is not one: ${name}=${String(value)}`);
}
