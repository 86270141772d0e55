import { getInt64, int32At, int64At, setInt32At, setInt64At } from "./big-endian.js";
import {
  CONSUME_QUEUE_FILL_MAX,
  CONSUME_QUEUE_FILL_SIZE,
  CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET,
  CONSUME_QUEUE_SIZE_OFFSET,
  CONSUME_QUEUE_TAGS_CODE_OFFSET,
} from "./consume-queue-descriptor.js";
import { MESSAGE_BASE_LENGTH } from "./message-descriptor.js";

const INT_MIN = -0x8000_0000;

/** One unit of a ConsumeQueue as values; one object is used for one unit after the other. (RocketMQ: `CqUnit`.) */
export class ConsumeQueueUnit {
  /** Absolute offset of the record in the log, in bytes. Not checked: whatever the file says. */
  physicalOffset = 0;
  /** Bytes. */
  size = 0;
  /** Java hash of the tags; in SCHEDULE_TOPIC_XXXX the time of delivery in milliseconds. */
  tagsCode = 0;

  read(bytes: Uint8Array, position: number): void {
    this.physicalOffset = int64At(bytes, position + CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET);
    this.size = int32At(bytes, position + CONSUME_QUEUE_SIZE_OFFSET);
    this.tagsCode = int64At(bytes, position + CONSUME_QUEUE_TAGS_CODE_OFFSET);
  }

  /** {@link read} through a DataView, where one over the whole file is at hand: faster, and throwing outside of it. */
  readFrom(view: DataView, position: number): void {
    this.physicalOffset = getInt64(view, position + CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET);
    this.size = view.getInt32(position + CONSUME_QUEUE_SIZE_OFFSET);
    this.tagsCode = getInt64(view, position + CONSUME_QUEUE_TAGS_CODE_OFFSET);
  }

  /** False for what only fills a place in the queue, and for what no record can be. */
  get isMessage(): boolean {
    return this.size > 0 && !this.isFill && this.physicalOffset >= 0;
  }

  /** Only fills a place in the queue. */
  get isFill(): boolean {
    return this.size === CONSUME_QUEUE_FILL_SIZE;
  }

  /** It leads to a record that a log which begins at `minOffset` has no more. A unit of zeros leads nowhere: it is none. */
  isBelow(minOffset: number): boolean {
    return this.isMessage && this.size >= MESSAGE_BASE_LENGTH && this.physicalOffset < minOffset;
  }

  /** The tagsCode is a sign-extended int, as the hash of tags is. */
  get isTagsHash(): boolean {
    return this.tagsCode === (this.tagsCode | 0);
  }

  /** The tagsCode is RocketMQ's address of a unit in a ConsumeQueueExt: below every int. */
  get isExtAddress(): boolean {
    return this.tagsCode < INT_MIN;
  }
}

/** Whether a record with this queue offset can have its unit there. */
export function isUnitPlace(queueOffset: number, unit: number): boolean {
  return queueOffset === unit || queueOffset - unit > CONSUME_QUEUE_FILL_MAX;
}

/** Writes the unit of a record. */
export function writeConsumeQueueUnit(
  bytes: Uint8Array,
  position: number,
  physicalOffset: number,
  size: number,
  tagsCode: number,
): void {
  setInt64At(bytes, position + CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET, physicalOffset);
  setInt32At(bytes, position + CONSUME_QUEUE_SIZE_OFFSET, size);
  setInt64At(bytes, position + CONSUME_QUEUE_TAGS_CODE_OFFSET, tagsCode);
}

/** Writes the unit that fills a place without a record. */
export function writeFillUnit(bytes: Uint8Array, position: number): void {
  writeConsumeQueueUnit(bytes, position, 0, CONSUME_QUEUE_FILL_SIZE, 0);
}
