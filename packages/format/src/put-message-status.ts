/**
 * The message is in the log: and forced, and with the slaves, where that was wanted; or not forced in time; or not with enough slaves in
 * time; or there are not enough slaves.
 */
export type AppendedPutStatus = "PUT_OK" | "FLUSH_DISK_TIMEOUT" | "FLUSH_SLAVE_TIMEOUT" | "SLAVE_NOT_AVAILABLE";

/** The message is not in the log. */
export type RefusedPutStatus =
  | "SERVICE_NOT_AVAILABLE"
  | "CREATE_MAPPED_FILE_FAILED"
  | "MESSAGE_ILLEGAL"
  | "PROPERTIES_SIZE_EXCEEDED"
  | "OS_PAGE_CACHE_BUSY"
  | "IN_SYNC_REPLICAS_NOT_ENOUGH";

/** What a put came to, in RocketMQ 5's spelling. (Those of RocketMQ's that LMQ and timer wheels answer are not here.) */
export type PutMessageStatus = AppendedPutStatus | RefusedPutStatus;
