import { setImmediate } from "node:timers/promises";
import {
  BLANK_MAGIC,
  CONSUME_QUEUE_UNIT_LENGTH,
  ConsumeQueueUnit,
  DispatchRequest,
  findNextRecord,
  INDEX_TOPIC_SEPARATOR,
  indexKeyHash,
  int32At,
  isMessageMagic,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MessageChecker,
  MessageVerdict,
  MillraceError,
  messageVerdictName,
  SYS_FLAG_COMMIT,
  shownValue,
  TOTAL_SIZE_OFFSET,
} from "@millrace/format";
import { monotonicMs } from "@millrace/shared-memory";
import { CallerFailure } from "../config/progress-calls.js";
import type { MessageReader } from "../read/message-reader.js";
import type { MessageView } from "../read/message-view.js";
import type { ReadConsumeQueue } from "../read/read-consume-queue.js";
import type { LogWindow } from "./log-window.js";

/** Something that is not as it was written. */
export interface DirectoryDamage {
  /** A `file`, or directory, could not be read: nothing of what it holds was. */
  readonly kind: "record" | "unit" | "index" | "file";
  readonly path: string;
  /** Of the record, or of the one that should be there; bytes of the log. Undefined for a file. */
  readonly physicalOffset?: number;
  readonly reason: string;
  readonly topic?: string;
  readonly queueId?: number;
  readonly queueOffset?: number;
}

/** What `verify` of a store that is open for reading takes. */
export interface DirectoryVerifyOptions {
  readonly signal?: AbortSignal;
  /** Called some times a second, in bytes of the log. What it throws ends it, and is what the promise rejects with. */
  readonly onProgress?: (progress: { readonly bytesVerified: number; readonly bytesTotal: number }) => void;
}

/** What was read, and what of it is damaged. */
export interface DirectoryVerifyReport {
  readonly bytesVerified: number;
  readonly records: number;
  readonly units: number;
  readonly indexItems: number;
  readonly damaged: readonly DirectoryDamage[];
}

/** Where a log is verified. */
export interface VerifiedLog {
  readonly reader: MessageReader;
  readonly window: LogWindow;
  readonly minOffset: number;
  /** Everything below it has been dispatched, as far as is known. */
  readonly endOffset: number;
  /** Records of these topics below these offsets are nobody's. */
  readonly deletedTopics: ReadonlyMap<string, number>;
  /** What cannot be read at present, by path: the reader shows none of it. */
  readonly unread: () => readonly (readonly [path: string, error: unknown])[];
}

const PROGRESS_MS = 250;
/** Units or items between two turns of the event loop. */
const STEPS_PER_TURN = 20_000;
const WORD = 4;

/** Reads all of a directory beside whoever writes it: every CRC of the log, every unit, every item of the index against it. */
export class DirectoryVerifier {
  readonly #log: VerifiedLog;
  readonly #options: DirectoryVerifyOptions;
  readonly #checker = new MessageChecker();
  readonly #request = new DispatchRequest();
  readonly #unit = new ConsumeQueueUnit();
  readonly #damaged: DirectoryDamage[] = [];
  /** Records whose unit is right, of each queue. */
  readonly #matched = new Map<ReadConsumeQueue, number>();
  #records = 0;
  #units = 0;
  #indexItems = 0;
  #saidAtMs = 0;

  constructor(log: VerifiedLog, options: DirectoryVerifyOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** @throws MillraceError `ERR_ABORTED` */
  async run(): Promise<DirectoryVerifyReport> {
    const { minOffset, endOffset, window } = this.#log;
    let offset = minOffset;
    try {
      while (offset < endOffset) {
        const before = window.bytes;
        offset = this.#verifyAt(offset);
        if (window.bytes !== before) await this.#turn(offset);
      }
    } finally {
      window.close();
    }
    await this.#verifyUnits();
    await this.#verifyIndex();
    for (const [path, error] of this.#log.unread()) this.#found({ kind: "file", path, reason: (error as Error).message });
    await this.#turn(offset);
    const bytesVerified = Math.max(0, endOffset - minOffset);
    return { bytesVerified, records: this.#records, units: this.#units, indexItems: this.#indexItems, damaged: this.#damaged };
  }

  /** The record at an offset; where the log goes on. */
  #verifyAt(offset: number): number {
    const { window } = this.#log;
    const room = window.roomAt(offset);
    try {
      if (room < 2 * WORD) return offset + room;
      const head = window.at(offset, 2 * WORD);
      // The checker takes the end of what it is given for the segment's.
      const isBlank = int32At(window.bytes, head + MAGIC_OFFSET) === BLANK_MAGIC;
      if (isBlank && int32At(window.bytes, head + TOTAL_SIZE_OFFSET) === room) return offset + room;
      const size = this.#sizeAt(head, room);
      const position = window.at(offset, size);
      const verdict = this.#checker.check(window.view, window.bytes, position, position + size, offset, true);
      if (verdict > 0) {
        this.#verifyUnit(offset, position, verdict);
        return offset + verdict;
      }
      const reason = messageVerdictName(isBlank ? MessageVerdict.BAD_BLANK : verdict);
      this.#found({ kind: "record", path: window.pathOf(offset), physicalOffset: offset, reason });
      const next = findNextRecord(window.view, position, offset, Math.min(window.bytes.length, position + room));
      return next < 0 ? offset + room : offset + next - position;
    } catch (error) {
      const { code = "unknown" } = error as NodeJS.ErrnoException;
      if (offset >= this.#log.reader.commitLog.minOffset)
        this.#found({ kind: "record", path: window.pathOf(offset), physicalOffset: offset, reason: code });
      return offset + room; // retention was quicker, or the disk does not give it
    }
  }

  /** So many bytes decide what is there. */
  #sizeAt(position: number, room: number): number {
    const { bytes } = this.#log.window;
    const size = int32At(bytes, position + TOTAL_SIZE_OFFSET);
    const isRecord = isMessageMagic(int32At(bytes, position + MAGIC_OFFSET)) && size >= MESSAGE_BASE_LENGTH && size <= room;
    return isRecord ? size : Math.min(room, MESSAGE_BASE_LENGTH);
  }

  /** Whether the queue leads to the record. */
  #verifyUnit(offset: number, position: number, size: number): void {
    this.#records++;
    const request = this.#request;
    const type = request.read(this.#log.window.bytes, position, size) ? request.transactionType : 0;
    if (type !== 0 && type !== SYS_FLAG_COMMIT) return;
    const { topic, queueId, consumeQueueOffset: queueOffset } = request;
    if (offset < (this.#log.deletedTopics.get(topic) ?? 0)) return;
    const queue = this.#log.reader.consumeQueues.find(topic, queueId);
    // A queue that is not there was deleted; what lies beyond its end has not been dispatched.
    if (queue === undefined || queueOffset < queue.minOffset || queueOffset >= queue.maxOffset) return;
    if (this.#read(queue, queueOffset) && this.#unit.physicalOffset === offset && this.#unit.size === size) {
      this.#matched.set(queue, (this.#matched.get(queue) ?? 0) + 1);
      return;
    }
    const reason = `its unit leads to physicalOffset=${this.#unit.physicalOffset} size=${this.#unit.size}`;
    this.#found({ kind: "unit", path: queue.pathOf(queueOffset), physicalOffset: offset, reason, topic, queueId, queueOffset });
  }

  /** The units of those queues that have more of them than records that were found. */
  async #verifyUnits(): Promise<void> {
    const { reader, minOffset, endOffset } = this.#log;
    for (const { topic, queueId, minOffset: from, maxOffset: to } of reader.queueStats()) {
      const queue = reader.consumeQueues.find(topic, queueId);
      if (queue === undefined) continue;
      const units: number[] = [];
      for (let queueOffset = from; queueOffset < to; queueOffset++) {
        if (++this.#units % STEPS_PER_TURN === 0) await this.#turn(endOffset);
        if (!this.#read(queue, queueOffset)) continue;
        const { isFill, physicalOffset } = this.#unit;
        if (!isFill && physicalOffset >= minOffset && physicalOffset < endOffset) units.push(queueOffset);
      }
      if (units.length > (this.#matched.get(queue) ?? 0)) this.#nameBadUnits(queue, units);
    }
  }

  #nameBadUnits(queue: ReadConsumeQueue, units: readonly number[]): void {
    const named = new Set(this.#damaged.filter(({ path }) => path.startsWith(queue.directory)).map((damage) => damage.queueOffset));
    const { topic, queueId } = queue;
    for (const queueOffset of units) {
      if (named.has(queueOffset) || !this.#read(queue, queueOffset)) continue;
      const error = queue.errorOf(queueOffset, this.#unit);
      if (error === undefined) continue;
      const { physicalOffset } = this.#unit;
      const path = queue.pathOf(queueOffset);
      this.#found({ kind: "unit", path, physicalOffset, reason: "no such record", topic, queueId, queueOffset });
    }
  }

  async #verifyIndex(): Promise<void> {
    const { reader, endOffset } = this.#log;
    for (const { path, keyHash, physicalOffset } of reader.indexItems()) {
      if (++this.#indexItems % (STEPS_PER_TURN / 10) === 0) await this.#turn(endOffset);
      if (physicalOffset < reader.commitLog.minOffset || physicalOffset >= endOffset) continue;
      if (!this.#hasKey(physicalOffset, keyHash))
        this.#found({ kind: "index", path, physicalOffset, reason: "no record with this key" });
    }
  }

  #hasKey(physicalOffset: number, keyHash: number): boolean {
    let message: MessageView | undefined;
    try {
      message = this.#log.reader.lookMessageByOffset(physicalOffset);
    } catch (error) {
      if (error instanceof MillraceError) return true; // corrupt: it has been found already
      throw error;
    }
    if (message === undefined) return false;
    const { topic, keys, uniqKey } = message;
    return [uniqKey ?? "", ...keys].some((key) => indexKeyHash(topic + INDEX_TOPIC_SEPARATOR + key) === keyHash);
  }

  #read(queue: ReadConsumeQueue, queueOffset: number): boolean {
    const file = queue.fileOf(queueOffset);
    if (file === undefined) return false;
    this.#unit.readFrom(file.view, queueOffset * CONSUME_QUEUE_UNIT_LENGTH - file.fromOffset);
    return true;
  }

  #found(damage: DirectoryDamage): void {
    this.#damaged.push(damage);
  }

  async #turn(offset: number): Promise<void> {
    const { signal, onProgress } = this.#options;
    if (signal?.aborted) throw new MillraceError("ERR_ABORTED", `verifying was aborted: reason=${shownValue(signal.reason)}`);
    const { minOffset, endOffset } = this.#log;
    if (onProgress !== undefined && monotonicMs() - this.#saidAtMs > PROGRESS_MS) {
      this.#saidAtMs = monotonicMs();
      const progress = { bytesVerified: Math.min(offset, endOffset) - minOffset, bytesTotal: endOffset - minOffset };
      try {
        onProgress(progress);
      } catch (error) {
        throw new CallerFailure(error);
      }
    }
    await setImmediate();
  }
}
