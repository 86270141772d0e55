import type { PutAnswer } from "./protocol.js";

/**
 * RocketMQ 4.9's answers in SYNC_FLUSH with what it cannot do forgiven: its GroupCommitService forces at most twice for a put, and calls
 * it FLUSH_DISK_TIMEOUT at once when that was not enough. That is so behind a roll only: between the put and the one that was forced
 * last the log has gone on in another segment. Anything else that it says stays as it is.
 *
 * @param answers Millrace's
 * @param twins RocketMQ's
 */
export function rollForgiven(
  answers: readonly PutAnswer[],
  twins: readonly PutAnswer[],
  mappedFileSizeCommitLog: number,
): PutAnswer[] {
  let forcedSegment = 0;
  return twins.map((twin, index) => {
    const { status, offset } = answers[index] ?? { status: "", offset: undefined };
    if (offset === undefined) return twin;
    const segment = Math.floor(offset / mappedFileSizeCommitLog);
    if (twin.status === "PUT_OK") forcedSegment = segment;
    const isBehindRoll = segment !== forcedSegment;
    return twin.status === "FLUSH_DISK_TIMEOUT" && status === "PUT_OK" && isBehindRoll ? { ...twin, status: "PUT_OK" } : twin;
  });
}
