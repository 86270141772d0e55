import {
  type ConsumeQueueUnit,
  getInt64,
  hasTopic,
  isUnitPlace,
  MESSAGE_BASE_LENGTH,
  MillraceError,
  QUEUE_ID_OFFSET,
  QUEUE_OFFSET_OFFSET,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import type { CommitLogReader } from "./commit-log-reader.js";
import { RecordCorruptError } from "./record-corrupt-error.js";

/** The queue of a unit. */
interface UnitQueue {
  readonly slot: number;
  readonly queueId: number;
  readonly topicView: DataView;
  pathOf(queueOffset: number): string;
  /** Whether the unit, as it stands, leads to a place in the log at `minPhysical` or behind it. */
  isAbove(queueOffset: number, minPhysical: number): boolean;
}

/** Asks for a unit to be built again from the log. True: that has been tried, and the log has no record for it. */
export type OnBadUnit = (queue: UnitQueue, queueOffset: number) => boolean;

/** Whether reading a unit failed only until it has been built again. */
export function isBuiltAgain(error: unknown): boolean {
  return error instanceof MillraceError && error.code === "ERR_CONSUME_QUEUE_CORRUPT";
}

/** Believes a unit only if the record that it points to says the same topic, queue, queue offset and size. Main thread. */
export class UnitVerifier {
  onBadUnit: OnBadUnit = () => false;
  readonly #log: CommitLogReader;

  constructor(log: CommitLogReader) {
    this.#log = log;
  }

  /**
   * Undefined for a unit to be believed; for one whose record has gone with its segment; and for one whose record is corrupt, which the
   * record's reader finds. Otherwise the unit is bad, and built again; one that cannot be is as good as a corrupt record. No record has
   * gone while that of the unit before it is there.
   *
   * @param minOffset of the log, as the caller knows it
   * @param maxOffset of the log, as the caller knows it; it may have moved on since
   */
  errorOf(
    queue: UnitQueue,
    queueOffset: number,
    unit: ConsumeQueueUnit,
    minOffset = this.#log.minOffset,
    maxOffset = this.#log.maxOffset,
  ): MillraceError | undefined {
    const { physicalOffset, size } = unit;
    if (unit.isFill) return undefined;
    const isGood = unit.isBelow(minOffset)
      ? !queue.isAbove(queueOffset - 1, minOffset)
      : this.#isBelieved(queue, queueOffset, physicalOffset, size, maxOffset);
    if (isGood) return undefined;
    if (this.onBadUnit(queue, queueOffset))
      return new RecordCorruptError({ physicalOffset, size, reason: "BAD_FIELD" }, queueOffset);
    const place = `path=${queue.pathOf(queueOffset)} queueOffset=${queueOffset}`;
    return new MillraceError(
      "ERR_CONSUME_QUEUE_CORRUPT",
      `a unit does not lead to its record, and is built again from the log: ${place} physicalOffset=${physicalOffset} size=${size}`,
    );
  }

  #isBelieved(queue: UnitQueue, queueOffset: number, physicalOffset: number, size: number, knownMax: number): boolean {
    const { verifier } = this.#log;
    const end = physicalOffset + size;
    const maxOffset = end <= knownMax ? knownMax : this.#log.maxOffset;
    if (!(size >= MESSAGE_BASE_LENGTH) || !(physicalOffset >= 0 && end <= maxOffset)) return false;
    const segment = this.#log.mappedSegment(physicalOffset);
    if (segment === undefined) return true; // just deleted
    const { bytes, view } = segment;
    const position = physicalOffset - segment.fromOffset;
    if (position + size > bytes.length) return false;
    const isOurs =
      view.getInt32(position + TOTAL_SIZE_OFFSET) === size &&
      view.getInt32(position + QUEUE_ID_OFFSET) === queue.queueId &&
      isUnitPlace(getInt64(view, position + QUEUE_OFFSET_OFFSET), queueOffset) &&
      hasTopic(view, position, size, queue.topicView);
    if (isOurs) return true;
    const actual = this.#log.sizeAt(physicalOffset);
    if (actual > 0) return verifier.errorOf(segment, physicalOffset, actual, maxOffset) !== undefined;
    return verifier.errorOfHead(segment, physicalOffset, size, maxOffset) !== undefined;
  }
}
