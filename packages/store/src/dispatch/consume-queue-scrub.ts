import { basename, dirname } from "node:path";
import {
  CONSUME_QUEUE_UNIT_LENGTH,
  ConsumeQueueUnit,
  crc32,
  DelayLevels,
  isUnitPlace,
  SYS_FLAG_COMMIT,
  unitTagsCode,
  writeConsumeQueueUnit,
} from "@millrace/format";
import { isOutOfDescriptors, type Storage } from "@millrace/mapped-file";
import { type ControlBlock, InvariantError, monotonicUs } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { QueueScrub, ScrubControl, UnitRepair } from "../pipeline/controls.js";
import type { StoreEventSink } from "../tell/store-event.js";
import type { ConsumeQueue } from "./consume-queue.js";
import type { ConsumeQueueDispatcher } from "./consume-queue-dispatcher.js";
import { DispatchedRecords } from "./dispatched-records.js";

/** Dispatching waits no longer than this for a slice. */
const SLICE_US = 2000;
/** Units that are held against their records, or records read, between two looks at the time: each may be on a disk. */
const STEP = 16;
/** Units that are read at once where a queue's front is looked for, and held against their records behind it. */
const FRONT_UNITS = 256;
/** Of steps: there was no descriptor, and nothing has been done. */
const REFUSED = -1;

/** A range of units. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Compares the files that earlier lives of the store have left with their checksums, in slices; where one differs, holds its units
 * against their records, and builds the bad ones again from the log. Dispatch thread, which writes the files.
 */
export class ConsumeQueueScrub implements ScrubControl {
  readonly #storage: Storage;
  readonly #consumeQueues: ConsumeQueueDispatcher;
  readonly #counters: ControlBlock<"dispatch">["counters"];
  readonly #events: StoreEventSink;
  readonly #records: DispatchedRecords;
  readonly #delayLevels: DelayLevels;
  readonly #unit = new ConsumeQueueUnit();
  #steps: Iterator<number, void> | undefined;
  /** By slot and queue offset. */
  readonly #repairs = new Map<string, Iterator<number, boolean | undefined>>();

  constructor(
    storage: Storage,
    config: MessageStoreConfig,
    consumeQueues: ConsumeQueueDispatcher,
    counters: ControlBlock<"dispatch">["counters"],
    events: StoreEventSink,
  ) {
    this.#storage = storage;
    this.#consumeQueues = consumeQueues;
    this.#counters = counters;
    this.#events = events;
    this.#records = new DispatchedRecords(storage, config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#delayLevels = DelayLevels.parse(config.messageDelayLevel);
  }

  scrubConsumeQueues(): QueueScrub {
    this.#steps ??= this.#scrub();
    const endUs = monotonicUs() + SLICE_US;
    let files = 0;
    do {
      const step = this.#steps.next();
      if (step.value === REFUSED) return { files, isDone: false, isRefused: true };
      if (step.done === true) {
        this.#steps = undefined;
        if (this.#repairs.size === 0) this.#records.close();
        return { files, isDone: true };
      }
      files += step.value;
    } while (monotonicUs() < endUs && files === 0);
    return { files, isDone: false };
  }

  repairUnit(slot: number, queueOffset: number): UnitRepair {
    const name = `${slot} ${queueOffset}`;
    const steps = this.#repairs.get(name) ?? this.#repairOne(slot, queueOffset);
    this.#repairs.set(name, steps);
    const endUs = monotonicUs() + SLICE_US;
    do {
      const step = steps.next();
      if (step.value === REFUSED) return { isDone: false, isRight: false, isRefused: true };
      if (step.done !== true) continue;
      this.#repairs.delete(name);
      if (this.#repairs.size === 0 && this.#steps === undefined) this.#records.close();
      return step.value === undefined ? { isDone: true, isRight: false, isUnread: true } : { isDone: true, isRight: step.value };
    } while (monotonicUs() < endUs);
    return { isDone: false, isRight: false };
  }

  /**
   * Where units before a queue's first message contradict one another: the first queue offset whose record the log still has. Damaged
   * units before it are built again, and those in the neighbourhood behind it. As many units as are sure have gone are passed over, should
   * the log not say it all: where it is damaged, too. Yields 0.
   */
  *repairFront(queue: ConsumeQueue, minOffset: number): Generator<number, number> {
    try {
      const first = yield* this.#frontOf(queue, minOffset);
      const to = Math.min(queue.writtenOffset, queue.segments.endOf(first), first + FRONT_UNITS);
      if (first < to) yield* this.#repair(queue, { from: first, to });
      return first;
    } finally {
      if (this.#repairs.size === 0 && this.#steps === undefined) this.#records.close();
    }
  }

  *#frontOf(queue: ConsumeQueue, minOffset: number): Generator<number, number> {
    const { live, doubtful } = yield* this.#passExpired(queue, minOffset);
    if (doubtful === undefined) return live;
    const { first, isWhole } = yield* this.#rebuild(queue, { from: doubtful, to: live });
    return isWhole ? (first ?? live) : doubtful;
  }

  /**
   * The first unit whose record is there and right; and the first of those before it that are neither known to have expired nor followed by
   * one that is known to: it leads to a record that has gone, behind those before it.
   */
  *#passExpired(queue: ConsumeQueue, minOffset: number): Generator<number, { live: number; doubtful: number | undefined }> {
    const unit = new ConsumeQueueUnit();
    const to = queue.writtenOffset;
    let physicalEnd = 0;
    let doubtful: number | undefined;
    for (let from = queue.minOffset; from < to; ) {
      const end = Math.min(to, queue.segments.endOf(from), from + FRONT_UNITS);
      const bytes = this.#bytesOf(queue, { from, to: end });
      for (let index = from; index < end; index++) {
        if ((index - from) % STEP === STEP - 1) yield 0;
        unit.read(bytes, (index - from) * CONSUME_QUEUE_UNIT_LENGTH);
        if (unit.isFill) continue;
        const isInOrder = unit.physicalOffset >= physicalEnd;
        if (isInOrder && unit.isBelow(minOffset)) {
          physicalEnd = unit.physicalOffset + unit.size;
          doubtful = undefined;
        } else if (unit.physicalOffset >= minOffset && this.#beginOf(queue, index) !== undefined) return { live: index, doubtful };
        else doubtful ??= index;
      }
      from = end;
    }
    return { live: to, doubtful };
  }

  *#repairOne(slot: number, queueOffset: number): Generator<number, boolean | undefined> {
    this.#consumeQueues.refresh();
    const queue = this.#consumeQueues.queues[slot];
    if (queue === undefined || queueOffset < queue.minOffset || queueOffset >= queue.writtenOffset) return true;
    return yield* this.#attempt(queue, queueOffset, () => this.#repair(queue, { from: queueOffset, to: queueOffset + 1 }));
  }

  /** Yields 1 after each file, 0 in between, or {@link REFUSED}. */
  *#scrub(): Generator<number, void> {
    this.#consumeQueues.refresh();
    for (const queue of [...this.#consumeQueues.queues]) {
      if (queue === undefined) continue;
      const noted = new Map(queue.notedChecksums.map((checksum) => [checksum.fileStart, checksum]));
      const { segments, minOffset, openedAt } = queue;
      for (let fileStart = segments.startOf(minOffset); fileStart < openedAt; fileStart = segments.endOf(fileStart)) {
        // A life that did not end well may have noted nothing of a file.
        const { count, crc } = noted.get(fileStart) ?? { count: 0, crc: 0 };
        if (this.#consumeQueues.queues[queue.slot] !== queue || segments.endOf(fileStart) <= queue.minOffset) continue;
        yield* this.#attempt(queue, fileStart, () => this.#scrubFile(queue, fileStart, fileStart + count, crc));
        yield 1;
      }
    }
  }

  *#scrubFile(queue: ConsumeQueue, fileStart: number, end: number, crc: number): Generator<number, boolean> {
    const isNoted = end > Math.max(fileStart, queue.minOffset);
    const isSame = isNoted && crc32(this.#bytesOf(queue, { from: fileStart, to: end })) === crc;
    // What was written after the last thorough round of a life that did not end well was not noted.
    const to = Math.min(queue.openedAt, queue.segments.endOf(fileStart));
    const isRight = yield* this.#repair(queue, { from: isSame ? end : fileStart, to });
    if (isRight && !(isSame && end === to) && this.#isThere(queue, fileStart)) this.#note(queue, fileStart);
    return isRight;
  }

  /**
   * What goes wrong with one queue is reported, and does not keep the others from theirs; undefined then, because nothing is known of its
   * records: log or queue could not be read. For want of a descriptor it begins again, for as long as the unit is there.
   */
  *#attempt(queue: ConsumeQueue, unit: number, steps: () => Generator<number, boolean>): Generator<number, boolean | undefined> {
    for (;;) {
      try {
        return yield* steps();
      } catch (error) {
        if (error instanceof InvariantError) throw error;
        if (!this.#isThere(queue, unit)) return true;
        if (!isOutOfDescriptors(error)) {
          const path = queue.segments.pathOf(unit);
          const message = `a ConsumeQueue file cannot be compared with the log: path=${path} reason=${String(error)}`;
          this.#events.emit("error", { service: "dispatch", code: "ERR_CONSUME_QUEUE_CORRUPT", message });
          return undefined;
        }
      }
      yield REFUSED;
      if (!this.#isThere(queue, unit)) return true;
    }
  }

  /** Between two steps its topic may have been deleted, and begun again, or retention may have taken the file of a unit. */
  #isThere(queue: ConsumeQueue, unit: number): boolean {
    return this.#consumeQueues.queues[queue.slot] === queue && queue.segments.endOf(unit) > queue.minOffset;
  }

  /** Holds the units of one file against their records, and builds the bad ones again. Whether all are right afterwards. */
  *#repair(queue: ConsumeQueue, range: Range): Generator<number, boolean> {
    const bad = yield* this.#badUnits(queue, range);
    let isRight = true;
    for (const one of bad) {
      yield* this.#rebuild(queue, one);
      isRight = (yield* this.#badUnits(queue, one)).length === 0 && isRight;
    }
    return isRight;
  }

  /** Of units of one file. */
  *#badUnits(queue: ConsumeQueue, range: Range): Generator<number, Range[]> {
    const bad: Range[] = [];
    const from = Math.max(range.from, queue.minOffset);
    if (from >= range.to || !this.#isThere(queue, from)) return bad;
    const bytes = this.#bytesOf(queue, { from, to: range.to });
    for (let unit = from; unit < range.to; unit++) {
      if ((unit - from) % STEP === STEP - 1) yield 0;
      if (this.#isRight(queue, unit, bytes, from)) continue;
      const last = bad.at(-1);
      if (last?.to === unit) bad[bad.length - 1] = { from: last.from, to: unit + 1 };
      else bad.push({ from: unit, to: unit + 1 });
    }
    return bad;
  }

  #isRight(queue: ConsumeQueue, index: number, bytes: Uint8Array, from: number): boolean {
    const unit = this.#unit;
    unit.read(bytes, (index - from) * CONSUME_QUEUE_UNIT_LENGTH);
    const minOffset = this.#counters.minOffset.get();
    if (unit.isFill) return true;
    if (unit.isBelow(minOffset)) return !this.#isAbove(queue, index - 1, minOffset);
    if (unit.physicalOffset < minOffset || !this.#records.read(unit.physicalOffset, this.#counters.wroteOffset.get())) return false;
    const { request } = this.#records;
    const isSame = request.msgSize === unit.size && isUnitPlace(request.consumeQueueOffset, index) && this.#isOf(queue);
    return isSame && unitTagsCode(request, queue.isSchedule, this.#delayLevels) === unit.tagsCode;
  }

  /** Whether a unit leads to what the log has: then those behind it do, too. */
  #isAbove(queue: ConsumeQueue, index: number, minOffset: number): boolean {
    if (index < queue.minOffset) return false;
    const unit = new ConsumeQueueUnit();
    unit.read(this.#bytesOf(queue, { from: index, to: index + 1 }), 0);
    return unit.isMessage && unit.physicalOffset >= minOffset;
  }

  /** Whether the record has a unit in this queue. */
  #isOf(queue: ConsumeQueue): boolean {
    const { request } = this.#records;
    if (request.transactionType !== 0 && request.transactionType !== SYS_FLAG_COMMIT) return false;
    return String(request.queueId) === basename(queue.directory) && request.topic === basename(dirname(queue.directory));
  }

  /**
   * From the good records between those of the units before and after. A unit whose record is not found there stays as it is. Returns the
   * first one that was built, and whether all of the log in between could be read.
   */
  *#rebuild(queue: ConsumeQueue, { from, to }: Range): Generator<number, { first: number | undefined; isWhole: boolean }> {
    if (!this.#isThere(queue, from)) return { first: undefined, isWhole: false };
    const end = this.#beginOf(queue, to) ?? this.#counters.wroteOffset.get();
    const minOffset = this.#counters.minOffset.get();
    const unit = new Uint8Array(CONSUME_QUEUE_UNIT_LENGTH);
    let first: number | undefined;
    let isWhole = true;
    let rebuilt = 0;
    let read = 0;
    for (let offset = this.#endOf(queue, from - 1) ?? this.#records.startOfSegment(minOffset); offset < end; ) {
      if (++read % STEP === 0) yield 0;
      if (!this.#isThere(queue, from)) return { first, isWhole: false };
      const logBegin = this.#counters.minOffset.get();
      if (offset < logBegin) {
        offset = logBegin; // retention was quicker
        continue;
      }
      const isRead = this.#records.read(offset, this.#counters.wroteOffset.get());
      const { request } = this.#records;
      const index = request.consumeQueueOffset;
      const isOfRange = isRead && index >= from && index < to && offset >= queue.fromOffset && this.#isOf(queue);
      const isGood = isOfRange && this.#records.isAsWritten(offset);
      if (!isRead || isOfRange !== isGood) isWhole = false;
      if (isGood) {
        const tagsCode = unitTagsCode(request, queue.isSchedule, this.#delayLevels);
        writeConsumeQueueUnit(unit, 0, offset, request.msgSize, tagsCode);
        queue.writeAgain(index, unit);
        first = Math.min(index, first ?? index);
        rebuilt++;
      }
      offset = this.#records.after(offset, isRead);
    }
    if (rebuilt === 0) return { first, isWhole };
    const reason = `units did not lead to their records: from=${from} to=${to} rebuilt=${rebuilt}`;
    this.#events.emit("rebuilt", { service: "dispatch", path: queue.segments.pathOf(from), reason });
    return { first, isWhole };
  }

  /** Where the record of a unit begins, if the unit is right. */
  #beginOf(queue: ConsumeQueue, index: number): number | undefined {
    if (index < queue.minOffset || index >= queue.writtenOffset) return undefined;
    const isRight = this.#isRight(queue, index, this.#bytesOf(queue, { from: index, to: index + 1 }), index);
    const { isMessage, physicalOffset } = this.#unit;
    return isRight && isMessage && physicalOffset >= this.#counters.minOffset.get() ? physicalOffset : undefined;
  }

  #endOf(queue: ConsumeQueue, index: number): number | undefined {
    const begin = this.#beginOf(queue, index);
    if (begin === undefined || !this.#records.read(begin, this.#counters.wroteOffset.get())) return undefined;
    return this.#records.after(begin, true);
  }

  /** The checksum of a file whose units are right; it is noted when the next round has made them durable. */
  #note(queue: ConsumeQueue, fileStart: number): void {
    const to = Math.min(queue.writtenOffset, queue.segments.endOf(fileStart));
    queue.setChecksum({ fileStart, count: to - fileStart, crc: crc32(this.#bytesOf(queue, { from: fileStart, to })) });
  }

  /** Units of one file. */
  #bytesOf(queue: ConsumeQueue, { from, to }: Range): Uint8Array {
    const bytes = new Uint8Array((to - from) * CONSUME_QUEUE_UNIT_LENGTH);
    const file = this.#storage.open(queue.segments.pathOf(from), "read");
    try {
      file.read(bytes, (from - queue.segments.startOf(from)) * CONSUME_QUEUE_UNIT_LENGTH);
      return bytes;
    } finally {
      file.close();
    }
  }
}
