import { int32At, int64At } from "./big-endian.js";
import {
  CONSUME_QUEUE_FILL_SIZE,
  CONSUME_QUEUE_PHYSICAL_OFFSET_OFFSET,
  CONSUME_QUEUE_SIZE_OFFSET,
  CONSUME_QUEUE_TAGS_CODE_OFFSET,
} from "./consume-queue-descriptor.js";

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

  /** False for what only fills a place in the queue, and for what no record can be. */
  get isMessage(): boolean {
    return this.size > 0 && this.size !== CONSUME_QUEUE_FILL_SIZE && this.physicalOffset >= 0;
  }
}
