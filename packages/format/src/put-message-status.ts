/** The message is in the log: and forced, where that was wanted; or not forced in time. */
export type AppendedPutStatus = "PUT_OK" | "FLUSH_DISK_TIMEOUT";

/** The message is not in the log. */
export type RefusedPutStatus =
  | "SERVICE_NOT_AVAILABLE"
  | "CREATE_MAPPED_FILE_FAILED"
  | "MESSAGE_ILLEGAL"
  | "PROPERTIES_SIZE_EXCEEDED"
  | "OS_PAGE_CACHE_BUSY";

/** What a put came to, in RocketMQ 5's spelling. (Those of RocketMQ's that replication, LMQ and timer wheels answer are not here.) */
export type PutMessageStatus = AppendedPutStatus | RefusedPutStatus;
