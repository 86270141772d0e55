/**
 * Layout of one CommitLog record (RocketMQ: `MessageExtEncoder`, `CommitLog.checkMessageAndReturnSize`).
 * All integers are big-endian. "+12" marks the two places that grow by 12 bytes for an IPv6 host.
 *
 * ```text
 *   0        4        8        12       16       20                28
 *   +--------+--------+--------+--------+--------+-----------------+-----------------+
 *   |  total |  magic | bodyCRC| queueId|  flag  |   queueOffset   | physicalOffset  |
 *   +--------+--------+--------+--------+--------+-----------------+-----------------+
 *   36       40                48                56 (+12)          64 (+12)
 *   +--------+-----------------+-----------------+-----------------+-----------------+
 *   | sysFlag|  bornTimestamp  | bornHost 8 / 20 |  storeTimestamp | storeHost 8 / 20|
 *   +--------+-----------------+-----------------+-----------------+-----------------+
 *   72 (+24) 76                84       88
 *   +--------+-----------------+--------+----------------------------------------------+
 *   | recons.|  preparedTxOff  | bodyLen| body … topicLen 1 (V1) / 2 (V2), topic …     |
 *   +--------+-----------------+--------+----------------------------------------------+
 *   | propLen 2 | properties …  [ __CRC32# 0x01 d d d d d d d d d d 0x02 ]              |
 *   +-----------+----------------------------------------------------------------------+
 * ```
 */

/** Topic length in one byte. */
export const MESSAGE_MAGIC_V1 = 0xdaa320a7 | 0;
/** Topic length in two bytes (RocketMQ 5.1 and later, for topics over 127 bytes). */
export const MESSAGE_MAGIC_V2 = 0xdaa320ab | 0;
/** Fills the rest of a segment. */
export const BLANK_MAGIC = 0xcbd43194 | 0;

export const TOTAL_SIZE_OFFSET = 0;
export const MAGIC_OFFSET = 4;
export const BODY_CRC_OFFSET = 8;
export const QUEUE_ID_OFFSET = 12;
export const FLAG_OFFSET = 16;
export const QUEUE_OFFSET_OFFSET = 20;
export const PHYSICAL_OFFSET_OFFSET = 28;
export const SYS_FLAG_OFFSET = 36;
export const BORN_TIMESTAMP_OFFSET = 40;
export const BORN_HOST_OFFSET = 48;
/** With an IPv4 born host; 12 more with IPv6. */
export const STORE_TIMESTAMP_OFFSET = 56;
/** With an IPv4 born host; 12 more with IPv6. */
export const STORE_HOST_OFFSET = 64;
/** The four fields below are given for two IPv4 hosts; 12 more for each IPv6 host. */
export const RECONSUME_TIMES_OFFSET = 72;
export const PREPARED_TRANSACTION_OFFSET_OFFSET = 76;
export const BODY_LENGTH_OFFSET = 84;
export const BODY_OFFSET = 88;
export const TOPIC_LENGTH_BYTES_V1 = 1;
export const TOPIC_LENGTH_BYTES_V2 = 2;
export const PROPERTIES_LENGTH_BYTES = 2;

/** Length of a record with IPv4 hosts, V1 magic, and empty body, topic and properties. */
export const MESSAGE_BASE_LENGTH = 91;
/** What each IPv6 host adds. */
export const IPV6_EXTRA_LENGTH = 12;
export const IPV4_HOST_LENGTH = 8;
export const IPV6_HOST_LENGTH = 20;
/** At the end of a host. */
export const HOST_PORT_BYTES = 4;

/** Total size and magic of a blank record; every record leaves at least this much in its segment. */
export const BLANK_RECORD_LENGTH = 8;

export const PROPERTIES_MAX_LENGTH = 32767;
/** What a record may be longer than `maxMessageSize`. */
export const RECORD_OVERHEAD_LIMIT = 65536;

/** Between a property's name and its value. */
export const NAME_VALUE_SEPARATOR = 0x01;
/** After a property. */
export const PROPERTY_SEPARATOR = 0x02;

/** `__CRC32#` 0x01, ten digits (least significant first), 0x02. */
export const PROPERTY_CRC_NAME = "__CRC32#";
export const PROPERTY_CRC_DIGITS = 10;
export const PROPERTY_CRC_LENGTH = 20;
/** Of the digits, in the property. */
export const PROPERTY_CRC_DIGITS_OFFSET = 9;

export const SYS_FLAG_PREPARED = 0x4;
export const SYS_FLAG_COMMIT = 0x8;
export const SYS_FLAG_ROLLBACK = 0xc;
export const SYS_FLAG_TRANSACTION_MASK = 0xc;
export const SYS_FLAG_BORN_HOST_V6 = 0x10;
export const SYS_FLAG_STORE_HOST_V6 = 0x20;
export const SYS_FLAG_INNER_BATCH = 0x80;

/** CRCs are stored without their sign bit. */
export const CRC_MASK = 0x7fffffff;
