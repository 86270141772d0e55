import { BLANK_MAGIC, BLANK_RECORD_LENGTH, MAGIC_OFFSET, TOTAL_SIZE_OFFSET } from "./message-descriptor.js";
import { MillraceError } from "./millrace-error.js";

/**
 * Says that the rest of the segment is unused. Only these eight bytes are written.
 *
 * @param length bytes from `position` to the end of the segment
 * @throws MillraceError `ERR_BLANK_TOO_SHORT`: every record must leave room for a blank one
 */
export function writeBlankRecord(view: DataView, position: number, length: number): void {
  if (length < BLANK_RECORD_LENGTH) {
    throw new MillraceError("ERR_BLANK_TOO_SHORT", `no room for a blank record: length=${length}`);
  }
  view.setInt32(position + TOTAL_SIZE_OFFSET, length);
  view.setInt32(position + MAGIC_OFFSET, BLANK_MAGIC);
}
