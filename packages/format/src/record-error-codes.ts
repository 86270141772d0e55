import type { ErrorCodeText } from "./error-code-text.js";

/** The codes of bytes that are no good record; part of `ERROR_CODES`. */
export const RECORD_ERROR_CODES = {
  ERR_RECORD_BAD_BLANK: {
    meaning: "A blank record ends elsewhere than at the end of the segment.",
    remedy: "Give the bytes of a whole segment, or put the file back from a copy.",
  },
  ERR_RECORD_BAD_BODY_CRC: {
    meaning: "The body does not match the checksum in its record.",
    remedy: "Look at the disk: the bytes were changed after they had been written.",
  },
  ERR_RECORD_BAD_FIELD: {
    meaning: "A field of the record has a value that no store writes.",
    remedy: "Look at the disk: the bytes were changed, or are not a record.",
  },
  ERR_RECORD_BAD_LAYOUT: {
    meaning: "The lengths in the record do not add up to its size.",
    remedy: "Look at the disk: the bytes were changed, or are not a record.",
  },
  ERR_RECORD_BAD_MAGIC: {
    meaning: "No record begins at this position.",
    remedy: "Give the position of a record, as physicalOffset names it.",
  },
  ERR_RECORD_BAD_PROPERTY_CRC: {
    meaning: "The record does not match the checksum in its properties.",
    remedy: "Look at the disk: the bytes were changed after they had been written.",
  },
  ERR_RECORD_BLANK: {
    meaning: "A blank record lies here, which fills the rest of the segment.",
    remedy: "Go on with the next segment.",
  },
  ERR_RECORD_CORRUPT: {
    meaning: "A record of the log is not as it was written, so the message was not handed out.",
    remedy: 'Look at the disk; read on at queueOffset + 1, or consume with onCorrupt: "skip".',
  },
  ERR_RECORD_EMPTY: {
    meaning: "Nothing has been written at this position.",
    remedy: "Stop here: it is the end of the log.",
  },
  ERR_RECORD_TOO_LARGE: {
    meaning: "The message or batch does not fit into one segment, or is longer than maxMessageSize allows, so it was not put.",
    remedy: "Put less at a time, or open the store with a larger maxMessageSize.",
  },
  ERR_RECORD_TRUNCATED: {
    meaning: "The bytes end before the record does.",
    remedy: "Give all bytes of the record.",
  },
  ERR_RECORD_WRONG_PHYSICAL_OFFSET: {
    meaning: "The record was written for another place in the log.",
    remedy: "Ignore it: it is left over from a file that was used before.",
  },
} as const satisfies Readonly<Record<string, ErrorCodeText>>;
