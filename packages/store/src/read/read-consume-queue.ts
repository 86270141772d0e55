import type { MillraceError } from "@millrace/format";
import { CONSUME_QUEUE_UNIT_LENGTH, ConsumeQueueUnit } from "@millrace/format";
import { SegmentDirectory } from "@millrace/mapped-file";
import type { QueueColumns } from "@millrace/shared-memory";
import type { ReadSegment } from "./read-segment.js";
import type { ReadSegmentTable } from "./read-segment-table.js";
import type { UnitVerifier } from "./unit-verifier.js";

export interface QueuePlace {
  readonly slot: number;
  readonly topic: string;
  readonly queueId: number;
  readonly directory: string;
}

/** The units of one topic and queue, read through mappings of their files. (RocketMQ: the reading half of `ConsumeQueue`.) */
export class ReadConsumeQueue {
  readonly slot: number;
  readonly topic: string;
  readonly queueId: number;
  /** Over the topic's bytes. */
  readonly topicView: DataView;
  readonly directory: string;
  readonly #directory: SegmentDirectory;
  readonly #columns: QueueColumns<"main">;
  readonly #table: ReadSegmentTable;
  readonly #verifier: UnitVerifier | undefined;
  /** By their first byte. */
  readonly #files = new Map<number, ReadSegment>();
  #last: ReadSegment | undefined;
  /** Of {@link isAbove}. */
  readonly #unit = new ConsumeQueueUnit();

  constructor(
    place: QueuePlace,
    columns: QueueColumns<"main">,
    table: ReadSegmentTable,
    fileSize: number,
    verifier?: UnitVerifier,
  ) {
    this.slot = place.slot;
    this.topic = place.topic;
    this.queueId = place.queueId;
    this.topicView = new DataView(Uint8Array.from(Buffer.from(place.topic)).buffer);
    this.directory = place.directory;
    this.#directory = new SegmentDirectory(place.directory, fileSize);
    this.#columns = columns;
    this.#table = table;
    this.#verifier = verifier;
  }

  /** First queue offset whose record is still on disk. */
  get minOffset(): number {
    return this.#columns.minQueueOffsets.get(this.slot);
  }

  /** One past the last queue offset that can be read. */
  get maxOffset(): number {
    return this.#columns.maxQueueOffsets.get(this.slot);
  }

  /** Queue offset of the next message, whether those before it can be read already or not. */
  get nextOffset(): number {
    return this.#columns.nextQueueOffsets.get(this.slot);
  }

  /** First queue offset of the file behind the one that a queue offset lies in. (RocketMQ: `ConsumeQueue.rollNextFile`.) */
  rollNextFile(queueOffset: number): number {
    return this.#directory.endOf(queueOffset * CONSUME_QUEUE_UNIT_LENGTH) / CONSUME_QUEUE_UNIT_LENGTH;
  }

  /** Path of the file that holds a queue offset's unit. */
  pathOf(queueOffset: number): string {
    return this.#directory.pathOf(queueOffset * CONSUME_QUEUE_UNIT_LENGTH);
  }

  /** Undefined when the unit of a queue offset, as it was read, is to be believed. */
  errorOf(queueOffset: number, unit: ConsumeQueueUnit, minPhysical?: number, maxPhysical?: number): MillraceError | undefined {
    return this.#verifier?.errorOf(this, queueOffset, unit, minPhysical, maxPhysical);
  }

  /**
   * Reads the unit of a queue offset. False outside [minOffset, maxOffset), and when its file has just been deleted.
   *
   * @throws MillraceError `ERR_CONSUME_QUEUE_CORRUPT`: its record says something else; it is built again
   * @throws RecordCorruptError it could not be: the log has no such record
   */
  unit(queueOffset: number, unit: ConsumeQueueUnit): boolean {
    if (!(queueOffset >= this.minOffset && queueOffset < this.maxOffset)) return false;
    const file = this.fileOf(queueOffset);
    if (file === undefined) return false;
    unit.readFrom(file.view, queueOffset * CONSUME_QUEUE_UNIT_LENGTH - file.fromOffset);
    const error = this.errorOf(queueOffset, unit);
    if (error !== undefined) throw error;
    return true;
  }

  /** Whether the unit, as it stands, leads to a place in the log at `minPhysical` or behind it. False below {@link minOffset}. */
  isAbove(queueOffset: number, minPhysical: number): boolean {
    const file = queueOffset >= this.minOffset ? this.fileOf(queueOffset) : undefined;
    if (file === undefined) return false;
    this.#unit.readFrom(file.view, queueOffset * CONSUME_QUEUE_UNIT_LENGTH - file.fromOffset);
    return this.#unit.isMessage && this.#unit.physicalOffset >= minPhysical;
  }

  /** The file that holds a queue offset's unit, at byte `queueOffset · 20 - fromOffset`; undefined when it has been deleted. */
  fileOf(queueOffset: number): ReadSegment | undefined {
    const offset = queueOffset * CONSUME_QUEUE_UNIT_LENGTH;
    const last = this.#last;
    if (last !== undefined && offset >= last.fromOffset && offset < last.endOffset && last.isMapped) {
      this.#table.touch(last);
      return last;
    }
    return this.#file(this.#directory.startOf(offset));
  }

  #file(fromOffset: number): ReadSegment | undefined {
    let file = this.#files.get(fromOffset);
    if (file === undefined || !file.isMapped) {
      file = this.#table.map(this.#directory.pathOf(fromOffset), fromOffset);
      if (file === undefined) return undefined;
      this.#files.set(fromOffset, file);
    }
    this.#table.touch(file);
    this.#last = file;
    return file;
  }

  /** Unmaps the files that end at or below a queue offset. */
  forget(belowQueueOffset: number): void {
    for (const [fromOffset, file] of this.#files) {
      if (file.endOffset > belowQueueOffset * CONSUME_QUEUE_UNIT_LENGTH) continue;
      this.#files.delete(fromOffset);
      this.#table.shutdown(file);
    }
    if (this.#last !== undefined && !this.#last.isMapped) this.#last = undefined;
  }
}
