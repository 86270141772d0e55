/** Names of the properties that the store gives a meaning to. (RocketMQ: `MessageConst`.) */

/** Keys of the index, separated by {@link KEY_SEPARATOR}. */
export const PROPERTY_KEYS = "KEYS";
export const KEY_SEPARATOR = " ";
export const PROPERTY_TAGS = "TAGS";
/** "true" or "false": whether the producer waits for the flush and the replicas. */
export const PROPERTY_WAIT_STORE_MSG_OK = "WAIT";
export const PROPERTY_DELAY_TIME_LEVEL = "DELAY";
export const PROPERTY_REAL_TOPIC = "REAL_TOPIC";
export const PROPERTY_REAL_QUEUE_ID = "REAL_QID";
export const PROPERTY_TRANSACTION_PREPARED = "TRAN_MSG";
export const PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX = "UNIQ_KEY";
export const PROPERTY_INNER_NUM = "INNER_NUM";
