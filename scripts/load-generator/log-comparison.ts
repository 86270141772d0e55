import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { SegmentDirectory } from "@millrace/mapped-file";

const WINDOW_LENGTH = 4 * 1024 * 1024;
const SEGMENT_NAME = /^\d{20}$/;

/** How much of a log is in another one. */
export interface LogComparison {
  readonly bytes: number;
  /** The first place that differs, in words; undefined when there is none. */
  readonly difference: string | undefined;
}

/**
 * Holds a slave's log against its master's, from the slave's first segment to the end of the log: every byte.
 *
 * @param from what was put from here on was put while the slave followed: it must have all of it
 */
export function compareLogs(master: string, slave: string, segmentSize: number, maxOffset: number, from: number): LogComparison {
  const [masterSegments, slaveSegments] = [new SegmentDirectory(master, segmentSize), new SegmentDirectory(slave, segmentSize)];
  const names = readdirSync(slave).filter((name) => SEGMENT_NAME.test(name));
  const start = Math.min(...names.map(Number));
  let bytes = 0;
  for (let offset = start; offset < maxOffset; offset += segmentSize) {
    const length = Math.min(segmentSize, maxOffset - offset);
    const paths = [masterSegments.pathOf(offset), slaveSegments.pathOf(offset)] as const;
    let same: number;
    try {
      same = sameBytes(...paths, length);
    } catch (error) {
      return { bytes, difference: `${join(slave, "..")}: ${(error as Error).message}` };
    }
    bytes += same;
    if (same < length) return { bytes, difference: `another byte than the master's: offset=${offset + same} path=${paths[1]}` };
  }
  if (bytes === 0 && maxOffset > 0)
    return { bytes, difference: `nothing of the master's log is there: maxOffset=${maxOffset} path=${slave}` };
  if (start > from && start < maxOffset)
    return { bytes, difference: `the log begins after what it was sent: start=${start} from=${from} path=${slave}` };
  if (hasRecord(slaveSegments, maxOffset))
    return { bytes, difference: `the log goes on after the master's: offset=${maxOffset} path=${slave}` };
  return { bytes, difference: undefined };
}

/** Whether anything was written at an offset: a log has no holes, so nothing follows where nothing is. */
function hasRecord(segments: SegmentDirectory, offset: number): boolean {
  const path = segments.pathOf(offset);
  if (!existsSync(path)) return false;
  const size = Buffer.alloc(Int32Array.BYTES_PER_ELEMENT);
  const file = openSync(path, "r");
  try {
    readSync(file, size, 0, size.length, offset - segments.startOf(offset));
  } finally {
    closeSync(file);
  }
  return size.readInt32BE() !== 0;
}

/** How many bytes of two files are the same, from the beginning. */
function sameBytes(one: string, other: string, length: number): number {
  const [first, second] = [Buffer.alloc(WINDOW_LENGTH), Buffer.alloc(WINDOW_LENGTH)];
  const files = [openSync(one, "r"), openSync(other, "r")] as const;
  try {
    for (let at = 0; at < length; ) {
      const wanted = Math.min(WINDOW_LENGTH, length - at);
      const read = Math.min(readSync(files[0], first, 0, wanted, at), readSync(files[1], second, 0, wanted, at));
      if (read === 0) return at;
      if (first.compare(second, 0, read, 0, read) !== 0) {
        let same = 0;
        while (first[same] === second[same]) same++;
        return at + same;
      }
      at += read;
    }
    return length;
  } finally {
    for (const file of files) closeSync(file);
  }
}
