import { basename, dirname } from "node:path";
import type { StorePaths } from "@millrace/format";
import { isOutOfDescriptors, SegmentDirectory, type Storage } from "@millrace/mapped-file";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import {
  type NotedQueue,
  readSegmentNote,
  removeSegmentNote,
  removeSegmentNotes,
  type SegmentNote,
  writeSegmentNote,
} from "../marks/segment-note.js";
import type { ConsumeQueue } from "./consume-queue.js";
import type { ConsumeQueueDispatcher } from "./consume-queue-dispatcher.js";

/**
 * Notes what the records of each segment are, from what the ConsumeQueues take: the next opening need not read them. A finished segment
 * is noted when dispatching leaves it, the last one when what was dispatched has become durable. Dispatch thread.
 */
export class SegmentNoter {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #segments: SegmentDirectory;
  readonly #consumeQueues: ConsumeQueueDispatcher;
  /** Where this life's records begin: recovery has noted what is before. */
  readonly #openedAt: number;
  /** Everything before it has been looked at; -1: not yet, or something was missed in this segment. */
  #offset = -1;
  /** What recovery has noted of the segment, by topic and queue. */
  #known = new Map<string, NotedQueue>();
  #messages = 0;
  #lastRecordOffset = -1;
  #lastStoreTimestamp = 0;
  #undispatched = 0;

  constructor(
    storage: Storage,
    { segmentNotes }: StorePaths,
    config: MessageStoreConfig,
    consumeQueues: ConsumeQueueDispatcher,
    openedAt: number,
  ) {
    this.#storage = storage;
    this.#directory = segmentNotes;
    this.#segments = new SegmentDirectory(config.storePathCommitLog, config.mappedFileSizeCommitLog);
    this.#consumeQueues = consumeQueues;
    this.#openedAt = openedAt;
  }

  /**
   * Everything before `offset` is in the ConsumeQueues; a group is of one segment.
   *
   * @param messages records of the group
   * @param lastRecordOffset of the last record
   */
  groupEnded(offset: number, messages: number, lastRecordOffset: number, storeTimestamp: number): void {
    if (this.#offset >= 0 && messages > 0) {
      this.#messages += messages;
      this.#lastRecordOffset = lastRecordOffset;
      this.#lastStoreTimestamp = storeTimestamp;
    }
    const isStart = this.#segments.isStart(offset);
    if (this.#offset >= 0) this.#offset = offset;
    if (isStart && offset > this.#openedAt) this.#noteFinished(offset);
    if (offset === this.#openedAt) this.#beginBehindNote(offset);
    else if (isStart && offset > this.#openedAt) this.#begin(offset);
  }

  /** The segment that dispatching is in, as far as it is. */
  note(): void {
    if (this.#offset > 0 && !this.#segments.isStart(this.#offset)) this.#write(this.#offset, undefined);
  }

  /** Segments before it are gone. */
  deleteExpired(minOffset: number): void {
    removeSegmentNotes(this.#storage, this.#directory, (fromOffset) => fromOffset >= minOffset);
  }

  #begin(offset: number): void {
    this.#offset = offset;
    this.#known = new Map();
    [this.#messages, this.#lastRecordOffset, this.#lastStoreTimestamp] = [0, -1, 0];
    this.#undispatched = this.#consumeQueues.undispatched;
    for (const queue of this.#consumeQueues.queues) queue?.beginSegment();
  }

  #beginBehindNote(offset: number): void {
    this.#begin(offset);
    if (this.#segments.isStart(offset)) return;
    const note = this.#read(this.#segments.startOf(offset));
    if (note?.endOffset !== offset) {
      this.#offset = -1;
      return;
    }
    this.#known = new Map(note.queues.map((queue) => [keyOf(queue.topic, queue.queueId), queue]));
    this.#messages = note.messages;
    this.#lastRecordOffset = note.lastRecordOffset;
    this.#lastStoreTimestamp = note.lastStoreTimestamp;
  }

  /** Undefined too where there is no descriptor to read it with: then the segment is not noted, and the next opening reads it. */
  #read(fromOffset: number): SegmentNote | undefined {
    try {
      return readSegmentNote(this.#storage, this.#directory, fromOffset);
    } catch (error) {
      if (isOutOfDescriptors(error)) return undefined;
      throw error;
    }
  }

  #noteFinished(endOffset: number): void {
    const fromOffset = this.#segments.startOf(endOffset - 1);
    const { modifiedMs } = this.#storage.entry(this.#segments.pathOf(fromOffset)) ?? {};
    if (this.#offset >= 0 && this.#write(endOffset, modifiedMs)) return;
    // A note of an earlier life says less than there is now.
    removeSegmentNote(this.#storage, this.#directory, fromOffset);
  }

  /** False: the segment has to be read. */
  #write(endOffset: number, modifiedMs: number | undefined): boolean {
    // A record that no queue took is missing here.
    if (this.#consumeQueues.undispatched !== this.#undispatched || this.#lastRecordOffset < 0) return false;
    const note: SegmentNote = {
      fromOffset: this.#segments.startOf(endOffset - 1),
      endOffset,
      lastRecordOffset: this.#lastRecordOffset,
      modifiedMs,
      messages: this.#messages,
      lastStoreTimestamp: this.#lastStoreTimestamp,
      queues: this.#queues(),
    };
    return writeSegmentNote(this.#storage, this.#directory, note);
  }

  #queues(): NotedQueue[] {
    const queues = new Map(this.#known);
    for (const queue of this.#consumeQueues.queues) {
      if (queue === undefined || queue.segmentFirstOffset < 0) continue;
      const { topic, queueId } = placeOf(queue);
      const key = keyOf(topic, queueId);
      const known = queues.get(key);
      const earlier = known !== undefined && known.firstPhysicalOffset >= queue.fromOffset ? known : undefined;
      queues.set(key, {
        topic,
        queueId,
        firstQueueOffset: earlier?.firstQueueOffset ?? queue.segmentFirstOffset,
        firstPhysicalOffset: earlier?.firstPhysicalOffset ?? queue.segmentFirstPhysical,
        nextQueueOffset: queue.writtenOffset,
        lastPhysicalOffset: queue.lastPhysicalOffset,
      });
    }
    return [...queues.values()];
  }
}

function placeOf({ directory }: ConsumeQueue): { readonly topic: string; readonly queueId: number } {
  return { topic: basename(dirname(directory)), queueId: Number(basename(directory)) };
}

function keyOf(topic: string, queueId: number): string {
  return `${topic}-${queueId}`;
}
