/** Names of the properties that RocketMQ gives a meaning to. (RocketMQ: `MessageConst`.) */

/** Keys of the index, separated by {@link KEY_SEPARATOR}. */
export const PROPERTY_KEYS = "KEYS";
export const KEY_SEPARATOR = " ";
export const PROPERTY_TAGS = "TAGS";
/** "true" or "false": whether the producer waits for the flush and the replicas. */
export const PROPERTY_WAIT_STORE_MSG_OK = "WAIT";
export const PROPERTY_DELAY_TIME_LEVEL = "DELAY";
export const PROPERTY_RETRY_TOPIC = "RETRY_TOPIC";
export const PROPERTY_REAL_TOPIC = "REAL_TOPIC";
export const PROPERTY_REAL_QUEUE_ID = "REAL_QID";
export const PROPERTY_TRANSACTION_PREPARED = "TRAN_MSG";
export const PROPERTY_PRODUCER_GROUP = "PGROUP";
export const PROPERTY_MIN_OFFSET = "MIN_OFFSET";
export const PROPERTY_MAX_OFFSET = "MAX_OFFSET";
export const PROPERTY_ORIGIN_MESSAGE_ID = "ORIGIN_MESSAGE_ID";
export const PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX = "UNIQ_KEY";
export const PROPERTY_CLUSTER = "CLUSTER";
export const PROPERTY_MSG_REGION = "MSG_REGION";
export const PROPERTY_TRACE_SWITCH = "TRACE_ON";
export const PROPERTY_INNER_NUM = "INNER_NUM";
export const PROPERTY_INNER_BASE = "INNER_BASE";
export const PROPERTY_INNER_MULTI_DISPATCH = "INNER_MULTI_DISPATCH";
export const PROPERTY_INNER_MULTI_QUEUE_OFFSET = "INNER_MULTI_QUEUE_OFFSET";
export const PROPERTY_DUP_INFO = "DUP_INFO";
export const PROPERTY_TIMER_DELAY_SEC = "TIMER_DELAY_SEC";
export const PROPERTY_TIMER_DELAY_MS = "TIMER_DELAY_MS";
export const PROPERTY_TIMER_DELIVER_MS = "TIMER_DELIVER_MS";
export const PROPERTY_TIMER_OUT_MS = "TIMER_OUT_MS";
