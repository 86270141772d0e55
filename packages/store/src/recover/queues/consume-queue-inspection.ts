import { DelayLevels, SCHEDULE_TOPIC, unitTagsCode } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import type { LogQueue, LogQueueRun } from "../scan/log-queue.js";
import { LogRecordReader, type RecoveredLog } from "../scan/log-record-reader.js";
import type { QueueRow } from "../scan/recovery-row.js";
import { QUEUE_TABLE, type QueueFacts } from "./consume-queue-decision.js";
import type { QueueDirectory } from "./consume-queue-directory.js";
import { ConsumeQueueUnits, type GoodUnits, type UnitRange } from "./consume-queue-units.js";

/** After a clean end the files before the last three are trusted, as in RocketMQ. */
const RECENT_FILES = 3;

export interface InspectionOptions {
  readonly log: RecoveredLog;
  readonly unitsPerFile: number;
  /** The last end was clean, and the ConsumeQueues were durable to the end of the log then: only their last files are read. */
  readonly isTrusted: boolean;
  /** Units of records below it were durable once. */
  readonly dispatchedOffset: number;
  readonly messageDelayLevel: string;
}

export interface InspectedQueue {
  readonly directory: QueueDirectory;
  readonly log: LogQueue | undefined;
  /** Records of its topic below it are deleted. */
  readonly deletedBelow: number;
  /** Of the beginnings of its files. */
  readonly checksums: readonly NotedChecksum[];
  /** The units before it were noted as durable, and nobody has written to them since; 0 when that is not known. */
  readonly knownTo?: number;
  /** So many units there were once, by what is noted of a log that has lost nothing since; 0 when that is not known. */
  readonly notedTo?: number;
}

/** The first `count` units of a file had this CRC when they were made durable. Plain data. */
export interface NotedChecksum {
  readonly fileStart: number;
  readonly count: number;
  readonly crc: number;
}

/** What is to be done about one queue. Queue offsets; plain data. */
export interface QueuePlan {
  readonly row: QueueRow;
  readonly directory: QueueDirectory;
  readonly minQueueOffset: number;
  readonly maxQueueOffset: number;
  readonly nextQueueOffset: number;
  /** Absolute offset of the first record that has to be dispatched again; -1 when none has. */
  readonly dispatchFrom: number;
  /** First units of files before a gap: nothing leads there. */
  readonly staleFiles: readonly number[];
  /** Damaged units, which become such as lead nowhere. */
  readonly damaged: readonly UnitRange[];
  /** Units from here on may not be durable yet; `maxQueueOffset` when all are. */
  readonly forceFrom: number;
}

/**
 * Holds ConsumeQueues against the log. Changes nothing. (RocketMQ: `ConsumeQueue.recover`, `truncateDirtyLogicFiles`,
 * `correctMinOffset`.)
 */
export class ConsumeQueueInspector {
  readonly #storage: Storage;
  readonly #options: InspectionOptions;
  readonly #records: LogRecordReader;
  readonly #delayLevels: DelayLevels;
  readonly #chunk = ConsumeQueueUnits.newChunk();

  constructor(storage: Storage, options: InspectionOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#records = new LogRecordReader(storage, options.log);
    this.#delayLevels = DelayLevels.parse(options.messageDelayLevel);
  }

  inspect(queue: InspectedQueue): QueuePlan {
    const { directory, log } = queue;
    const { unitsPerFile } = this.#options;
    const { files } = directory;
    const gap = files.findLastIndex((file, index) => index > 0 && file !== (files[index - 1] as number) + unitsPerFile);
    const first = Math.max(gap, 0);
    const staleFiles = files.slice(0, first);
    const from = files[first] ?? 0;
    const place = { from, to: from + (files.length - first) * unitsPerFile, perFile: unitsPerFile };
    const units = new ConsumeQueueUnits(this.#storage, directory.path, place, this.#chunk);
    try {
      const found = log === undefined ? this.#withoutRecords(units, queue) : this.#withRecords(units, queue, log);
      return { directory, staleFiles, ...found };
    } finally {
      units.close();
    }
  }

  close(): void {
    this.#records.close();
  }

  /** The next message goes on behind what the queue once had, for all that its units say: the log has nothing to hold them against. */
  #withoutRecords(
    units: ConsumeQueueUnits,
    { deletedBelow, knownTo = 0, notedTo = 0 }: InspectedQueue,
  ): Omit<QueuePlan, "directory" | "staleFiles"> {
    const {
      dispatchedOffset,
      log: { minOffset },
    } = this.#options;
    const { good } = this.#walk(units, units.to, knownTo, (from) => units.walkExpired(from, minOffset, dispatchedOffset));
    const isDeleted = deletedBelow > 0 && good.lastPhysicalOffset < deletedBelow;
    const { newFrom: forceFrom } = good;
    const isNoted = deletedBelow === 0 && notedTo > good.end && notedTo <= units.to && units.areZero(good.end, notedTo);
    const end = isNoted ? notedTo : good.end;
    const damaged = isNoted ? [...good.damaged, { from: good.end, to: end }] : good.damaged;
    const found: QueueFacts = {
      log: isDeleted ? "deleted" : "none",
      front: "good",
      reachesEnd: true,
      isWhole: damaged.length === 0,
      isTailClean: units.isTailClean(end),
    };
    const { row } = QUEUE_TABLE.decide(found);
    return { row, minQueueOffset: end, maxQueueOffset: end, nextQueueOffset: end, dispatchFrom: -1, damaged, forceFrom };
  }

  #withRecords(units: ConsumeQueueUnits, queue: InspectedQueue, log: LogQueue): Omit<QueuePlan, "directory" | "staleFiles"> {
    const { directory, checksums, knownTo = 0 } = queue;
    const run = runOf(units, log);
    const { firstQueueOffset, nextQueueOffset } = run;
    const {
      dispatchedOffset,
      log: { maxOffset },
    } = this.#options;
    const to = Math.min(units.to, nextQueueOffset);
    const { good, from } = this.#walk(units, to, knownTo, (begin) => units.walk(begin, to, maxOffset, dispatchedOffset));
    const front = frontOf(units, good, run);
    if (front !== "good") {
      const { row } = QUEUE_TABLE.decide({ log: "records", front, reachesEnd: false, isWhole: true, isTailClean: true });
      const next = log.nextQueueOffset;
      const dispatchFrom = log.firstPhysicalOffset;
      return { row, minQueueOffset: 0, maxQueueOffset: 0, nextQueueOffset: next, dispatchFrom, damaged: [], forceFrom: 0 };
    }
    const confirmedEnd = this.#confirmedEnd(units, good.recordEnd, directory, run);
    const isKnown = from === knownTo - 1;
    if (isKnown && confirmedEnd < knownTo) return this.#withRecords(units, { ...queue, knownTo: 0 }, log);
    const lookedFrom = isKnown ? from : firstQueueOffset;
    const timedEnd = directory.topic === SCHEDULE_TOPIC ? this.#timedEnd(units, lookedFrom, confirmedEnd) : confirmedEnd;
    const end = isKnown ? timedEnd : this.#intactEnd(units, directory, checksums, firstQueueOffset, timedEnd);
    const found: QueueFacts = {
      log: "records",
      front,
      reachesEnd: end === nextQueueOffset,
      isWhole: true,
      isTailClean: units.isTailClean(end),
    };
    return {
      row: QUEUE_TABLE.decide(found).row,
      minQueueOffset: firstQueueOffset,
      maxQueueOffset: end,
      nextQueueOffset,
      dispatchFrom: found.reachesEnd ? -1 : this.#dispatchFrom(units, end, directory.queueId, log, run),
      damaged: [],
      forceFrom: Math.min(end, good.newFrom),
    };
  }

  /** Of the known units the last one alone is looked at. Returns where the walk began, too. */
  #walk<Good extends GoodUnits>(
    units: ConsumeQueueUnits,
    to: number,
    knownTo: number,
    walk: (from: number) => Good,
  ): { readonly good: Good; readonly from: number } {
    for (const from of this.#beginnings(units, to, knownTo)) {
      const good = walk(from);
      if (good.recordEnd > from || (from !== knownTo - 1 && good.recordEnd >= 0)) return { good, from };
    }
    return { good: walk(units.from), from: units.from };
  }

  #beginnings(units: ConsumeQueueUnits, to: number, knownTo: number): number[] {
    const lastKnown = knownTo - 1;
    const recent = units.to - RECENT_FILES * units.unitsPerFile;
    const beginnings = lastKnown > units.from && lastKnown < to ? [lastKnown] : [];
    return this.#options.isTrusted && recent > units.from && recent < to ? [...beginnings, recent] : beginnings;
  }

  /**
   * The good units agree with one another; whether they agree with the log is asked of the last one, and if it does not, of others, as in a
   * binary search: what RocketMQ shifts, it shifts to the end. The last one may also be torn behind its size, where a page ends.
   */
  #confirmedEnd(units: ConsumeQueueUnits, recordEnd: number, { topic, queueId }: QueueDirectory, run: LogQueueRun): number {
    if (recordEnd === run.firstQueueOffset) return recordEnd;
    if (this.#isRight(units, recordEnd - 1, queueId)) {
      const { physicalOffset, tagsCode } = units.at(recordEnd - 1);
      return this.#isTagsCode(physicalOffset, topic, tagsCode) ? recordEnd : recordEnd - 1;
    }
    let [right, wrong] = [run.firstQueueOffset - 1, recordEnd - 1];
    while (wrong - right > 1) {
      const middle = Math.floor((right + wrong) / 2);
      if (this.#isRight(units, middle, queueId)) right = middle;
      else wrong = middle;
    }
    return wrong;
  }

  /** Whether the unit of this record holds this. */
  #isTagsCode(physicalOffset: number, topic: string, tagsCode: number): boolean {
    const request = this.#records.read(physicalOffset) ? this.#records.request(physicalOffset) : undefined;
    return request !== undefined && unitTagsCode(request, topic === SCHEDULE_TOPIC, this.#delayLevels) === tagsCode;
  }

  /**
   * RocketMQ 4.9 recovers from a crash before it knows its delay levels: hashes of tags stand where times of delivery belong, and
   * all would be due.
   */
  #timedEnd(units: ConsumeQueueUnits, from: number, to: number): number {
    return units.findTagsHash(from, to, (physicalOffset, tagsCode) => !this.#isTagsCode(physicalOffset, SCHEDULE_TOPIC, tagsCode));
  }

  /**
   * Where the last files are not what their checksums say: the first unit in them that its record contradicts. Those before the last are
   * compared while the store is open.
   */
  #intactEnd(
    units: ConsumeQueueUnits,
    { topic, queueId }: QueueDirectory,
    checksums: readonly NotedChecksum[],
    from: number,
    to: number,
  ): number {
    const recent = units.to - RECENT_FILES * units.unitsPerFile;
    let end = to;
    for (const { fileStart, count, crc } of checksums) {
      const fileEnd = fileStart + count;
      if (fileStart < Math.max(recent, units.from) || fileEnd > to || units.crcOf(fileStart, count) === crc) continue;
      for (let unit = Math.max(from, fileStart); unit < Math.min(fileEnd, end); unit++) {
        if (!this.#isIntact(units, unit, topic, queueId)) end = unit;
      }
    }
    return end;
  }

  #isIntact(units: ConsumeQueueUnits, unit: number, topic: string, queueId: number): boolean {
    if (units.at(unit).isFill) return true;
    if (!this.#isRight(units, unit, queueId)) return false;
    const { physicalOffset, tagsCode } = units.at(unit);
    return this.#isTagsCode(physicalOffset, topic, tagsCode);
  }

  #isRight(units: ConsumeQueueUnits, unit: number, queueId: number): boolean {
    const { physicalOffset, size } = units.at(unit);
    const record = this.#records;
    return record.read(physicalOffset) && record.queueOffset === unit && record.queueId === queueId && record.size === size;
  }

  /** Begin of the record that the first missing unit belongs to, or an earlier one, as late as is certain. */
  #dispatchFrom(units: ConsumeQueueUnits, end: number, queueId: number, log: LogQueue, run: LogQueueRun): number {
    if (end === run.nextQueueOffset - 1) return run.lastPhysicalOffset;
    if (end === log.newQueueOffset) return log.newPhysicalOffset;
    for (let unit = end - 1; unit >= run.firstQueueOffset; unit--) {
      if (units.at(unit).isFill || !this.#isRight(units, unit, queueId)) continue;
      const { physicalOffset, size } = units.at(unit);
      return physicalOffset + size;
    }
    return run.firstPhysicalOffset;
  }
}

/** A topic that RocketMQ deleted and made again begins again in the log; its files say which of the two they hold. */
function runOf(units: ConsumeQueueUnits, log: LogQueue): LogQueueRun {
  if (log.restart === undefined || units.from > 0 || units.to === 0) return log;
  return units.at(0).physicalOffset === log.restart.firstPhysicalOffset ? log.restart : log;
}

/** Units before the log's first record have to be there too: they say where the queue begins, and readers of other stores walk them. */
function frontOf(units: ConsumeQueueUnits, good: GoodUnits, run: LogQueueRun): QueueFacts["front"] {
  const { firstQueueOffset, firstPhysicalOffset } = run;
  if (units.from > firstQueueOffset || units.to <= firstQueueOffset) return "missing";
  if (good.recordEnd < firstQueueOffset || good.recordEnd < 0) return "missing";
  if (good.recordEnd === firstQueueOffset) return good.physicalEnd <= firstPhysicalOffset ? "good" : "wrong";
  return units.at(firstQueueOffset).physicalOffset === firstPhysicalOffset ? "good" : "wrong";
}
