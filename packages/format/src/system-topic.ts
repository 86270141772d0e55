/** Topics and topic prefixes that belong to RocketMQ itself. (RocketMQ: `TopicValidator`, `MixAll`.) */
export const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
export const RETRY_TOPIC_PREFIX = "%RETRY%";
export const DLQ_TOPIC_PREFIX = "%DLQ%";
