/** Topics and topic prefixes that belong to RocketMQ itself. (RocketMQ: `TopicValidator`, `MixAll`.) */
export const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
export const RETRY_TOPIC_PREFIX = "%RETRY%";
export const DLQ_TOPIC_PREFIX = "%DLQ%";
/** Light message queues of RocketMQ 5, which share the records of other topics. */
export const LMQ_TOPIC_PREFIX = "%LMQ%";
