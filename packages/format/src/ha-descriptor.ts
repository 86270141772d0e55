import { setInt64 } from "./big-endian.js";

/**
 * What a master and a slave of RocketMQ say to each other (`HAConnection`, `HAClient`), big-endian, without a handshake or a checksum.
 *
 * ```text
 *   slave to master, a report:     +0 i64 end of the slave's log
 *   master to slave, a transfer:   +0 i64 physical offset of the first body byte    +8 i32 body size    +12 body
 * ```
 *
 * The first report of a connection asks for the start. A transfer without a body is a sign of life. Bodies are the bytes of the log as they
 * lie in a segment: never of two segments, but cut anywhere.
 */
export const HA_REPORT_LENGTH = 8;
export const HA_TRANSFER_HEADER_LENGTH = 12;
export const HA_BODY_SIZE_OFFSET = 8;
/** A RocketMQ slave has 4 MiB for a transfer: a longer one never ends there. */
export const HA_BODY_LIMIT = 4 * 1024 * 1024 - HA_TRANSFER_HEADER_LENGTH;

/** Of a transfer, at `at`. @param offset in the log, of the first byte of the body */
export function writeTransferHeader(view: DataView, at: number, offset: number, bodyLength: number): void {
  setInt64(view, at, offset);
  view.setInt32(at + HA_BODY_SIZE_OFFSET, bodyLength);
}
