import type { MessageStoreConfig } from "../config/message-store-config.js";

const MIB = 1024 * 1024;
const READY_AHEAD_LIMIT = 64 * MIB;

/**
 * How many bytes the allocator keeps ready ahead of the appender: the next and the next-next segment, but at most 64 MiB. Readiness
 * moves in slices, not in segments: whole 1 GiB segments would make every open write 2 GiB of zeros, and every roll would start a
 * burst that the puts around it pay for.
 */
export function readyAheadBytes(config: MessageStoreConfig): number {
  return Math.min(2 * config.mappedFileSizeCommitLog, READY_AHEAD_LIMIT);
}
