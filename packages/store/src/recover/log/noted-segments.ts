import { type MappedFile, type Storage, syncInherited } from "@millrace/mapped-file";
import {
  type NotedQueue,
  readSegmentNote,
  removeSegmentNotes,
  type SegmentNote,
  writeSegmentNote,
} from "../../marks/segment-note.js";
import { joinLogQueues, type LogQueue } from "../scan/log-queue.js";
import type { LogQueueTableOptions } from "./log-queue-table.js";
import type { SegmentScan } from "./segment-scan.js";

/** Read behind the end of a log that was closed cleanly. */
const TAIL_LENGTH = 64 * 1024;

/** Where the notes are, and whether this opening may go by them. */
export interface SegmentNotesOptions {
  readonly directory: string;
  /** Nobody else has opened the store since they were written, and the user does not want everything read. */
  readonly isBelieved: boolean;
}

interface BeliefOptions extends LogQueueTableOptions {
  readonly lastExitOk: boolean;
  /** Bytes of the log before it were durable once, and are in the page cache as they are on disk. */
  readonly durableTo: number;
}

/**
 * What is known of the segments without reading them. A note counts when its bytes were durable and nobody has written to the segment's
 * file since: a finished segment has its time of change in its note, and after a clean end the last one has, too. What a life that did not
 * end well has written behind the note is read.
 */
export class NotedSegments {
  readonly #storage: Storage;
  readonly #directory: string | undefined;
  readonly #deletedTopics: ReadonlyMap<string, number>;
  readonly #dispatchedOffset: number;
  readonly #lastExitOk: boolean;
  /** By first offset. */
  readonly #notes = new Map<number, SegmentNote>();

  constructor(storage: Storage, notes: SegmentNotesOptions | undefined, files: readonly MappedFile[], options: BeliefOptions) {
    const { deletedTopics = new Map(), dispatchedOffset = Number.MAX_SAFE_INTEGER } = options;
    this.#storage = storage;
    this.#directory = notes?.directory;
    this.#deletedTopics = deletedTopics;
    this.#dispatchedOffset = dispatchedOffset;
    this.#lastExitOk = options.lastExitOk;
    if (this.#directory === undefined || notes?.isBelieved !== true) return;
    for (const file of files) {
      const note = readSegmentNote(storage, this.#directory, file.fromOffset);
      if (note !== undefined && this.#isBelieved(note, file, options)) this.#notes.set(file.fromOffset, note);
    }
  }

  /** Where the scan of a segment begins: 0 when nothing is known of it, its length when all is. */
  positionIn({ fromOffset }: MappedFile): number {
    const note = this.#notes.get(fromOffset);
    return note === undefined ? 0 : note.endOffset - fromOffset;
  }

  /** Where the last record before {@link positionIn} begins: the scan makes sure that it is there. */
  lastRecordIn({ fromOffset }: MappedFile): number {
    const note = this.#notes.get(fromOffset);
    return note === undefined ? 0 : note.lastRecordOffset - fromOffset;
  }

  /** How far a segment can hold anything: nobody has written behind the end of a clean life. */
  writtenTo({ fromOffset, size }: MappedFile): number {
    const note = this.#notes.get(fromOffset);
    const isClosed = this.#lastExitOk && note !== undefined;
    return isClosed ? Math.min(size, note.endOffset - fromOffset + TAIL_LENGTH) : size;
  }

  /** About so many bytes of it have to be read: behind a note, the data up to the next hole. */
  unreadIn(file: MappedFile): number {
    const position = this.positionIn(file);
    if (position === 0 || position === file.size || this.#lastExitOk) return this.writtenTo(file) - position;
    const opened = this.#storage.open(file.path, "read");
    try {
      return opened.seekHole(position) - position;
    } finally {
      opened.close();
    }
  }

  /** Of a segment of which all is known. */
  scanOf(file: MappedFile): SegmentScan {
    const { fromOffset, size } = file;
    const end = { ending: "complete", position: size, lastPosition: this.lastRecordIn(file), detail: "NOTED" } as const;
    const nothing = { messages: 0, lastStoreTimestamp: 0, queues: new Map<string, LogQueue>(), corrupt: [], from: size };
    return this.joined(fromOffset, { ...end, ...nothing });
  }

  /** What is known, and what a scan has found behind it. One that did not find the last known record has read all of the segment. */
  joined(fromOffset: number, scan: SegmentScan): SegmentScan {
    const note = this.#notes.get(fromOffset);
    if (note === undefined || scan.from === 0) return scan;
    const queues = new Map<string, LogQueue>();
    for (const queue of note.queues) {
      if (queue.lastPhysicalOffset >= (this.#deletedTopics.get(queue.topic) ?? 0))
        queues.set(`${queue.topic}-${queue.queueId}`, this.#logQueue(queue));
    }
    for (const [key, queue] of scan.queues) {
      const earlier = queues.get(key);
      if (earlier === undefined) queues.set(key, queue);
      else joinLogQueues(earlier, queue);
    }
    const messages = note.messages + scan.messages;
    return { ...scan, messages, lastStoreTimestamp: scan.lastStoreTimestamp || note.lastStoreTimestamp, queues };
  }

  /**
   * Once the log is in its final state, and before anything is written to it: notes of what has been read, and none that did not count. An
   * old one would count for other bytes in its place.
   */
  renew(files: readonly MappedFile[], scans: readonly SegmentScan[]): void {
    if (this.#directory === undefined) return;
    const kept = new Set<number>();
    files.forEach(({ fromOffset }, index) => {
      if (this.#notes.has(fromOffset) && scans[index]?.from !== 0) kept.add(fromOffset);
    });
    removeSegmentNotes(this.#storage, this.#directory, (fromOffset) => kept.has(fromOffset));
    syncInherited(this.#storage, this.#directory); // a killed life may have removed some, too
    files.forEach((file, index) => {
      const scan = scans[index];
      if (scan === undefined || scan.from === scan.position || scan.corrupt.length > 0 || scan.lastPosition < 0) return;
      const note = this.#noteOf(file, scan);
      if (note !== undefined) writeSegmentNote(this.#storage, this.#directory as string, note);
    });
  }

  #isBelieved(note: SegmentNote, { path, fromOffset, endOffset }: MappedFile, { lastExitOk, durableTo }: BeliefOptions): boolean {
    if (note.endOffset > Math.min(durableTo, endOffset) || note.lastRecordOffset < fromOffset) return false;
    const hasEnded = note.endOffset === endOffset || lastExitOk;
    if (hasEnded && note.modifiedMs !== this.#storage.entry(path)?.modifiedMs) return false;
    return note.queues.every(({ topic, firstPhysicalOffset, lastPhysicalOffset }) => {
      const deletedBelow = this.#deletedTopics.get(topic) ?? 0;
      return deletedBelow <= firstPhysicalOffset || deletedBelow > lastPhysicalOffset;
    });
  }

  /** A queue with records before the dispatched mark and behind it: which is the first of these, only the records say. */
  #logQueue({ topic, queueId, ...run }: NotedQueue): LogQueue {
    const isNew = run.firstPhysicalOffset >= this.#dispatchedOffset;
    const newPhysicalOffset = isNew ? run.firstPhysicalOffset : -1;
    return { ...run, newQueueOffset: isNew ? run.firstQueueOffset : -1, newPhysicalOffset, restart: undefined };
  }

  #noteOf({ path, fromOffset, size, endOffset }: MappedFile, scan: SegmentScan): SegmentNote | undefined {
    const { messages, lastStoreTimestamp, position, lastPosition } = scan;
    const queues: NotedQueue[] = [];
    for (const [key, queue] of scan.queues) {
      // RocketMQ deleted the topic and made it again in the same segment: one run of queue offsets does not say that.
      if (queue.restart !== undefined) return undefined;
      const { firstQueueOffset, firstPhysicalOffset, nextQueueOffset, lastPhysicalOffset } = queue;
      const dash = key.lastIndexOf("-");
      const [topic, queueId] = [key.slice(0, dash), Number(key.slice(dash + 1))];
      queues.push({ topic, queueId, firstQueueOffset, firstPhysicalOffset, nextQueueOffset, lastPhysicalOffset });
    }
    const modifiedMs = position === size ? this.#storage.entry(path)?.modifiedMs : undefined;
    const end = { endOffset: position === size ? endOffset : fromOffset + position, lastRecordOffset: fromOffset + lastPosition };
    return { fromOffset, ...end, modifiedMs, messages, lastStoreTimestamp, queues };
  }
}
