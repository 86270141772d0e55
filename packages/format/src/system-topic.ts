/** Topics and topic prefixes that belong to RocketMQ itself. (RocketMQ: `TopicValidator`, `MixAll`.) */
export const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
export const RETRY_TOPIC_PREFIX = "%RETRY%";
export const DLQ_TOPIC_PREFIX = "%DLQ%";
/** Half messages, queue 0. (RocketMQ: `TopicValidator.RMQ_SYS_TRANS_HALF_TOPIC`.) */
export const TRANS_HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
/** One record for each half message that has been decided, queue 0. (RocketMQ: `TopicValidator.RMQ_SYS_TRANS_OP_HALF_TOPIC`.) */
export const TRANS_OP_HALF_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/** The same two where RocketMQ 5.5 keeps transactions in RocksDB. (RocketMQ: `TopicValidator.RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC`.) */
const ROCKSDB_TRANS_HALF_TOPIC = "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC";
const ROCKSDB_TRANS_OP_HALF_TOPIC = "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC";
/** Under this name the broker keeps how far it has come in the two. (RocketMQ: `MixAll.CID_SYS_RMQ_TRANS`.) */
export const TRANS_CONSUMER_GROUP = "CID_RMQ_SYS_TRANS";
/** Tags of an op record. (RocketMQ: `TransactionalMessageUtil.REMOVE_TAG`.) */
export const TRANS_OP_REMOVE_TAG = "d";
/** Light message queues of RocketMQ 5, which share the records of other topics. */
export const LMQ_TOPIC_PREFIX = "%LMQ%";

/** (RocketMQ: `TopicValidator.NOT_ALLOWED_SEND_TOPIC_SET`: the same six of 4.9 and 5; the two of RocksDB are those of 5.5.) */
const RESERVED_TOPICS = new Set([
  SCHEDULE_TOPIC,
  TRANS_HALF_TOPIC,
  TRANS_OP_HALF_TOPIC,
  ROCKSDB_TRANS_HALF_TOPIC,
  ROCKSDB_TRANS_OP_HALF_TOPIC,
  "TRANS_CHECK_MAX_TIME_TOPIC",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
]);

/** A topic whose records are a broker's own bookkeeping: nobody else may put there. (RocketMQ: `isNotAllowedSendTopic`.) */
export function isReservedTopic(topic: string): boolean {
  return RESERVED_TOPICS.has(topic);
}

/** (RocketMQ: `TopicValidator.SYSTEM_TOPIC_SET`; the two of RocksDB are those of 5.5.) */
const SYSTEM_TOPICS = new Set([
  SCHEDULE_TOPIC,
  "TBW102",
  "BenchmarkTest",
  TRANS_HALF_TOPIC,
  TRANS_OP_HALF_TOPIC,
  ROCKSDB_TRANS_HALF_TOPIC,
  ROCKSDB_TRANS_OP_HALF_TOPIC,
  "RMQ_SYS_TRACE_TOPIC",
  "TRANS_CHECK_MAX_TIME_TOPIC",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
]);
const SYSTEM_TOPIC_PREFIX = "rmq_sys_";

/**
 * A topic in which a broker keeps messages of its own, or those that have not reached their own topics yet: delayed, prepared, with a timer
 * (`rmq_sys_wheel_timer`), popped (`rmq_sys_REVIVE_LOG_…`). Of the other system topics it is clients who put there.
 */
export function isBrokersTopic(topic: string): boolean {
  return RESERVED_TOPICS.has(topic) || topic.startsWith(SYSTEM_TOPIC_PREFIX);
}

/** A topic that RocketMQ keeps for itself. (RocketMQ: `TopicValidator.isSystemTopic`.) */
export function isSystemTopic(topic: string): boolean {
  return SYSTEM_TOPICS.has(topic) || topic.startsWith(SYSTEM_TOPIC_PREFIX);
}
