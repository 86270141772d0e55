import { MillraceError, shownValue } from "@millrace/format";

/** @param reason what is needed instead */
export function illegalArgument(reason: string, name: string, value: unknown): MillraceError {
  return new MillraceError("ERR_GET_ILLEGAL", `${reason}: ${name}=${shownValue(value)}`);
}

/** One below 0 is that of no message, as RocketMQ's -1. @throws MillraceError `ERR_GET_ILLEGAL` */
export function checkQueueOffset(queueOffset: unknown): void {
  if (!Number.isSafeInteger(queueOffset)) throw illegalArgument("a queue offset is an integer", "queueOffset", queueOffset);
}

/** @throws MillraceError `ERR_GET_ILLEGAL` */
export function checkPhysicalOffset(physicalOffset: unknown): void {
  if (Number.isSafeInteger(physicalOffset) && (physicalOffset as number) >= 0) return;
  throw illegalArgument("a physical offset is an integer of at least 0", "physicalOffset", physicalOffset);
}
