import { join } from "node:path";
import { isOutOfDescriptors, type Storage, type StorageEntry } from "@millrace/mapped-file";
import { encodeCheckedFile, readCheckedFile } from "./checked-file.js";
import { SEGMENT_NOTE_MAGIC } from "./checked-file-descriptor.js";

const KIND = { magic: SEGMENT_NOTE_MAGIC, version: 1 };
const NAME_PATTERN = /^\d{1,16}$/;

/** The records of one queue in one segment. Queue offsets, and absolute offsets in the log. */
export interface NotedQueue {
  readonly topic: string;
  readonly queueId: number;
  readonly firstQueueOffset: number;
  readonly firstPhysicalOffset: number;
  /** One past the last queue offset. */
  readonly nextQueueOffset: number;
  readonly lastPhysicalOffset: number;
}

/** What a scan of a segment's records would tell, up to where it was noted. Absolute offsets in the log. */
export interface SegmentNote {
  readonly fromOffset: number;
  /** The segment's end when it is finished; otherwise one past the last record. */
  readonly endOffset: number;
  /** Where the last record begins; -1 without one. */
  readonly lastRecordOffset: number;
  /** When the segment's file last changed, in milliseconds; undefined while it may still change. */
  readonly modifiedMs: number | undefined;
  /** Records of messages, those of no queue included. */
  readonly messages: number;
  /** Of the last record, in milliseconds; 0 without one. */
  readonly lastStoreTimestamp: number;
  readonly queues: readonly NotedQueue[];
}

/** Queue by queue: id, first queue offset and its physical offset, next queue offset, last physical offset. */
type QueueRow = readonly [number, number, number, number, number];

interface NoteContent extends Omit<SegmentNote, "queues"> {
  readonly topics: readonly (readonly [string, readonly QueueRow[]])[];
}

/** False where something else has the directory's name: no note is read there, and none written. */
function canHoldNotes(storage: Storage, directory: string): boolean {
  return (storage.entry(directory)?.kind ?? "directory") === "directory";
}

/** Of the segment that begins there; undefined when it is missing or damaged: then the segment is read. */
export function readSegmentNote(storage: Storage, directory: string, fromOffset: number): SegmentNote | undefined {
  if (!canHoldNotes(storage, directory)) return undefined;
  const found = readCheckedFile(storage, pathOf(directory, fromOffset), KIND);
  if (found.state !== "good") return undefined;
  const content = JSON.parse(new TextDecoder().decode(found.payload)) as NoteContent;
  if (content.fromOffset !== fromOffset) return undefined;
  const { topics, modifiedMs, ...note } = content;
  const queues = topics.flatMap(([topic, rows]) =>
    rows.map(([queueId, firstQueueOffset, firstPhysicalOffset, nextQueueOffset, lastPhysicalOffset]) => {
      return { topic, queueId, firstQueueOffset, firstPhysicalOffset, nextQueueOffset, lastPhysicalOffset };
    }),
  );
  return { ...note, modifiedMs, queues };
}

/**
 * In place and not forced: what a crash leaves of it is what was there before, this, or damaged, and both notes are true for as long as
 * the segment keeps its bytes up to their ends. False: it could not be written, and the next opening has to read the segment.
 */
export function writeSegmentNote(storage: Storage, directory: string, note: SegmentNote): boolean {
  const topics = new Map<string, QueueRow[]>();
  for (const queue of note.queues) {
    const rows = topics.get(queue.topic) ?? [];
    topics.set(queue.topic, rows);
    rows.push([queue.queueId, queue.firstQueueOffset, queue.firstPhysicalOffset, queue.nextQueueOffset, queue.lastPhysicalOffset]);
  }
  const { queues, ...rest } = note;
  const content: NoteContent = { ...rest, topics: [...topics] };
  const bytes = encodeCheckedFile(KIND, new TextEncoder().encode(`${JSON.stringify(content)}\n`));
  try {
    if (!canHoldNotes(storage, directory)) return false;
    storage.makeDirectory(directory, false);
    const file = storage.open(pathOf(directory, note.fromOffset), "create");
    try {
      file.write(bytes, 0);
      file.truncate(bytes.length);
    } finally {
      file.close();
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * The segment's file has changed for the last time in this life, and the log ends at `endOffset`. A note of an earlier end, which this life
 * could not renew, would vouch for a file that has changed since: it goes. So does one that cannot be read for want of a descriptor.
 */
export function sealSegmentNote(
  storage: Storage,
  directory: string,
  fromOffset: number,
  { endOffset, modifiedMs }: { readonly endOffset: number; readonly modifiedMs: number },
): void {
  let note: SegmentNote | undefined;
  try {
    note = readSegmentNote(storage, directory, fromOffset);
  } catch (error) {
    if (!isOutOfDescriptors(error)) throw error;
    removeSegmentNote(storage, directory, fromOffset);
  }
  if (note === undefined) return;
  if (note.endOffset === endOffset) writeSegmentNote(storage, directory, { ...note, modifiedMs });
  else removeSegmentNote(storage, directory, fromOffset);
}

/** Needs no descriptor, so that it succeeds where {@link writeSegmentNote} had none. Durable after {@link Storage.syncDirectory}. */
export function removeSegmentNote(storage: Storage, directory: string, fromOffset: number): void {
  if (canHoldNotes(storage, directory)) storage.remove(pathOf(directory, fromOffset));
}

/** Those of segments for which `isKept` is false. Answers whether any was there; durable after {@link Storage.syncDirectory}. */
export function removeSegmentNotes(storage: Storage, directory: string, isKept: (fromOffset: number) => boolean): boolean {
  let isRemoved = false;
  for (const { name } of entriesOf(storage, directory)) {
    if (NAME_PATTERN.test(name) && isKept(Number(name))) continue;
    storage.remove(join(directory, name));
    isRemoved = true;
  }
  return isRemoved;
}

function entriesOf(storage: Storage, directory: string): StorageEntry[] {
  if (!canHoldNotes(storage, directory)) return [];
  return storage.list(directory).filter(({ kind }) => kind !== "directory");
}

function pathOf(directory: string, fromOffset: number): string {
  return join(directory, String(fromOffset));
}
