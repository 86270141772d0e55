/** What a put came to, in RocketMQ 5's spelling. */
export type PutMessageStatus =
  | "PUT_OK"
  | "FLUSH_DISK_TIMEOUT"
  | "FLUSH_SLAVE_TIMEOUT"
  | "SLAVE_NOT_AVAILABLE"
  | "SERVICE_NOT_AVAILABLE"
  | "CREATE_MAPPED_FILE_FAILED"
  | "MESSAGE_ILLEGAL"
  | "PROPERTIES_SIZE_EXCEEDED"
  | "OS_PAGE_CACHE_BUSY"
  | "UNKNOWN_ERROR"
  | "IN_SYNC_REPLICAS_NOT_ENOUGH"
  | "PUT_TO_REMOTE_BROKER_FAIL"
  | "LMQ_CONSUME_QUEUE_NUM_EXCEEDED"
  | "WHEEL_TIMER_FLOW_CONTROL"
  | "WHEEL_TIMER_MSG_ILLEGAL"
  | "WHEEL_TIMER_NOT_ENABLE";

/** What appending to the CommitLog came to. `PUT_OK` means stored, whatever the flush said. */
export type AppendMessageStatus =
  | "PUT_OK"
  | "END_OF_FILE"
  | "MESSAGE_SIZE_EXCEEDED"
  | "PROPERTIES_SIZE_EXCEEDED"
  | "UNKNOWN_ERROR"
  | "ROCKSDB_ERROR";
