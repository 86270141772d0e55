/**
 * What came of a get. (RocketMQ: `GetMessageStatus`; NO_MATCHED_LOGIC_QUEUE and OFFSET_RESET, which its store never answers, are
 * not here.)
 */
export type GetMessageStatus =
  | "FOUND"
  /** Nothing that the filter lets through among the units looked at. */
  | "NO_MATCHED_MESSAGE"
  /** The record has been deleted. */
  | "MESSAGE_WAS_REMOVING"
  /**
   * The queue's file has been deleted, or is not there: a message is nowhere before it is. Beside another process, which may be building
   * it again, and on a slave, the offset to go on with stays.
   */
  | "OFFSET_FOUND_NULL"
  | "OFFSET_OVERFLOW_BADLY"
  /** The queue offset of the next message: there is nothing new. */
  | "OFFSET_OVERFLOW_ONE"
  | "OFFSET_TOO_SMALL"
  | "NO_MESSAGE_IN_QUEUE";
