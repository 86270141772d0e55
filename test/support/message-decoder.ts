import type { Host } from "#format/host.js";
import { decodeHost } from "#format/host.js";
import { ANY_PHYSICAL_OFFSET, MessageChecker, messageVerdictName } from "#format/message-checker.js";
import { encodeMessageId } from "#format/message-id.js";
import { decodeProperties } from "#format/message-properties.js";
import { RecordCursor } from "#format/record-cursor.js";
import { decodeUtf8 } from "#format/utf8.js";

/** One record as values. (RocketMQ: `MessageExt`.) */
export class DecodedMessage {
  /** Length of the whole record in bytes. */
  readonly size: number;
  /** `MESSAGE_MAGIC_V1` or `MESSAGE_MAGIC_V2`. */
  readonly magic: number;
  readonly bodyCrc: number;
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly flag: number;
  readonly sysFlag: number;
  /** `SYS_FLAG_PREPARED`, `SYS_FLAG_COMMIT`, `SYS_FLAG_ROLLBACK` or 0. */
  readonly transactionType: number;
  /** Milliseconds; a client's number, rounded where it is beyond 2^53. */
  readonly bornTimestamp: number;
  readonly bornHost: Host;
  /** Milliseconds. */
  readonly storeTimestamp: number;
  readonly storeHost: Host;
  readonly reconsumeTimes: number;
  /** Rounded where it is beyond 2^53. */
  readonly preparedTransactionOffset: number;
  /** A view of the record's bytes, not a copy. */
  readonly body: Uint8Array;
  /** In stored order, with `__CRC32#` where the record has it. */
  readonly properties: Map<string, string>;
  readonly #storeHostBytes: Uint8Array;

  /** @param record what the checker just said about the record at `position` */
  constructor(bytes: Uint8Array, position: number, size: number, record: MessageChecker) {
    const { bodyPosition, topicPosition, propertiesPosition } = record;
    const fields = new RecordCursor();
    fields.moveTo(bytes, position);
    this.size = size;
    this.magic = record.magic;
    this.bodyCrc = fields.bodyCrc;
    this.topic = decodeUtf8(bytes.subarray(topicPosition, topicPosition + record.topicLength));
    this.queueId = record.queueId;
    this.queueOffset = record.queueOffset;
    this.physicalOffset = record.physicalOffset;
    this.flag = fields.flag;
    this.sysFlag = record.sysFlag;
    this.transactionType = record.transactionType;
    this.bornTimestamp = fields.bornTimestamp;
    this.bornHost = decodeHost(fields.bornHost);
    this.storeTimestamp = record.storeTimestamp;
    this.#storeHostBytes = fields.storeHost;
    this.storeHost = decodeHost(this.#storeHostBytes);
    this.reconsumeTimes = fields.reconsumeTimes;
    this.preparedTransactionOffset = fields.preparedTransactionOffset;
    this.body = bytes.subarray(bodyPosition, bodyPosition + record.bodyLength);
    this.properties = decodeProperties(bytes.subarray(propertiesPosition, propertiesPosition + record.propertiesLength));
  }

  /** Not stored: made of store host and physical offset. */
  get msgId(): string {
    return encodeMessageId(this.#storeHostBytes, this.physicalOffset);
  }
}

const checker = new MessageChecker();

/**
 * The record at `position`, CRC verified; bytes after it do not matter. Ill-formed UTF-8 in topic and properties becomes U+FFFD, as
 * in Java.
 *
 * @throws Error with the name of the {@link MessageVerdict}
 */
export function decodeMessage(bytes: Uint8Array, position = 0): DecodedMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = checker.check(view, bytes, position, bytes.length, ANY_PHYSICAL_OFFSET, true);
  if (size <= 0) throw new Error(`no good record: verdict=${messageVerdictName(size)} position=${position}`);
  return new DecodedMessage(bytes, position, size, checker);
}
