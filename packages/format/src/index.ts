/** Public names of `@millrace/format`: what the bytes of a RocketMQ store look like. No I/O, no threads. */
export { isAbortSignal } from "./abort-signal.js";
export { bigEndianWord, getInt64, int32At, int64At, int64OfWords, setInt64, setInt64OfWords } from "./big-endian.js";
export { writeBlankRecord } from "./blank-record.js";
export { CHECKPOINT_LENGTH } from "./checkpoint-descriptor.js";
export { CONSUME_QUEUE_FILL_MAX, CONSUME_QUEUE_UNIT_LENGTH, QUEUE_OFFSET_PUT_LIMIT } from "./consume-queue-descriptor.js";
export { ConsumeQueueUnit, isUnitPlace, writeConsumeQueueUnit, writeFillUnit } from "./consume-queue-unit.js";
export { crc32 } from "./crc32.js";
export { DelayLevels } from "./delay-levels.js";
export { DispatchRequest, hashOf } from "./dispatch-request.js";
export type { ErrorCodeText } from "./error-code-text.js";
export { ERROR_CODES, type MillraceErrorCode } from "./error-codes.js";
export type { GetMessageStatus } from "./get-message-status.js";
export {
  HA_BODY_LIMIT,
  HA_BODY_SIZE_OFFSET,
  HA_REPORT_LENGTH,
  HA_TRANSFER_HEADER_LENGTH,
  writeTransferHeader,
} from "./ha-descriptor.js";
export type { Host } from "./host.js";
export { decodeHost, encodeHost } from "./host.js";
export {
  INDEX_BEGIN_PHYSICAL_OFFSET_OFFSET,
  INDEX_BEGIN_TIMESTAMP_OFFSET,
  INDEX_COUNT_OFFSET,
  INDEX_END_PHYSICAL_OFFSET_OFFSET,
  INDEX_END_TIMESTAMP_OFFSET,
  INDEX_FIRST_ITEM,
  INDEX_HASH_SLOT_COUNT_OFFSET,
  INDEX_HEADER_LENGTH,
  INDEX_ITEM_KEY_HASH_OFFSET,
  INDEX_ITEM_LENGTH,
  INDEX_ITEM_PHYSICAL_OFFSET_OFFSET,
  INDEX_ITEM_PREVIOUS_OFFSET,
  INDEX_ITEM_TIME_DIFF_OFFSET,
  INDEX_SLOT_LENGTH,
  INDEX_TOPIC_SEPARATOR,
  type IndexFileShape,
  indexFileLength,
  indexItemPosition,
  indexSlotPosition,
} from "./index-file-descriptor.js";
export { indexFileName, isIndexFileName } from "./index-file-name.js";
export type { IndexHeader } from "./index-header-codec.js";
export { decodeIndexHeader, EMPTY_INDEX_HEADER, encodeIndexHeader, isIndexHeaderSane } from "./index-header-codec.js";
export { indexKeyHash, tagsCode } from "./java-hash.js";
export type { MessageVerdictName } from "./message-checker.js";
export { MessageChecker, MessageVerdict, messageVerdictName, type RangeCrc } from "./message-checker.js";
export {
  BLANK_MAGIC,
  BLANK_RECORD_LENGTH,
  BODY_CRC_OFFSET,
  IPV6_EXTRA_LENGTH,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  NAME_VALUE_SEPARATOR,
  PHYSICAL_OFFSET_OFFSET,
  PROPERTIES_LENGTH_BYTES,
  PROPERTIES_MAX_LENGTH,
  PROPERTY_CRC_LENGTH,
  PROPERTY_CRC_NAME,
  PROPERTY_SEPARATOR,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  RECORD_OVERHEAD_LIMIT,
  STORE_HOST_OFFSET,
  SYS_FLAG_BORN_HOST_V6,
  SYS_FLAG_COMMIT,
  SYS_FLAG_INNER_BATCH,
  SYS_FLAG_OFFSET,
  SYS_FLAG_PREPARED,
  SYS_FLAG_ROLLBACK,
  SYS_FLAG_STORE_HOST_V6,
  SYS_FLAG_TRANSACTION_MASK,
  TOTAL_SIZE_OFFSET,
} from "./message-descriptor.js";
export type { MessageFields } from "./message-encoder.js";
export { bodyOffsetOf, encodedLength, encodeMessage, MessageSealer, storedPropertiesLength } from "./message-encoder.js";
export type { MessageId } from "./message-id.js";
export { decodeMessageId, encodeMessageId } from "./message-id.js";
export { decodeProperties, javaHashMapOrder } from "./message-properties.js";
export {
  KEY_SEPARATOR,
  PROPERTY_DELAY_TIME_LEVEL,
  PROPERTY_INNER_NUM,
  PROPERTY_KEYS,
  PROPERTY_REAL_QUEUE_ID,
  PROPERTY_REAL_TOPIC,
  PROPERTY_TAGS,
  PROPERTY_TRANSACTION_PREPARED,
  PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX,
  PROPERTY_WAIT_STORE_MSG_OK,
} from "./message-property-names.js";
export { MillraceError } from "./millrace-error.js";
export { nearestName } from "./nearest-name.js";
export { findNextRecord } from "./next-record.js";
export { findProperty, propertyEnd } from "./property-finder.js";
export type { AppendedPutStatus, PutMessageStatus, RefusedPutStatus } from "./put-message-status.js";
export {
  checkNotReserved,
  checkQueueId,
  checkStoredTopic,
  checkTopic,
  isTopicDirectoryLegal,
  isTopicLegal,
  QUEUE_ID_MAX,
} from "./queue-name.js";
export { hasTopic, isMessageMagic, RecordCursor } from "./record-cursor.js";
export { type RecordField, recordFields } from "./record-fields.js";
export { parseRocketMqJson } from "./rocketmq-json.js";
export { shownValue } from "./shown-value.js";
export type { StoreCheckpoint } from "./store-checkpoint-codec.js";
export { decodeStoreCheckpoint, encodeStoreCheckpoint } from "./store-checkpoint-codec.js";
export type { StorePaths } from "./store-path.js";
export {
  commitLogLockPath,
  configCopyPath,
  consumeQueueDirectory,
  ownSegmentPath,
  parseSegmentFileName,
  preparedPath,
  segmentFileName,
  storePaths,
} from "./store-path.js";
export {
  DLQ_TOPIC_PREFIX,
  isBrokersTopic,
  isReservedTopic,
  isSystemTopic,
  LMQ_TOPIC_PREFIX,
  RETRY_TOPIC_PREFIX,
  SCHEDULE_TOPIC,
  TRANS_CONSUMER_GROUP,
  TRANS_HALF_TOPIC,
  TRANS_OP_HALF_TOPIC,
  TRANS_OP_REMOVE_TAG,
} from "./system-topic.js";
export { unitTagsCode } from "./unit-tags-code.js";
