import type { Storage } from "@millrace/mapped-file";
import { readCheckedFile, writeCheckedFile } from "./checked-file.js";
import { SEGMENT_CRCS_MAGIC } from "./checked-file-descriptor.js";

const KIND = { magic: SEGMENT_CRCS_MAGIC, version: 1 };

/** A finished segment from its first byte to the end of its last record, the blank one included. */
interface SegmentCrc {
  readonly fromOffset: number;
  /** In bytes. */
  readonly length: number;
  readonly crc: number;
}

/** First offset, length, CRC, and when the segment's file had last changed, in milliseconds. */
type Row = readonly [fromOffset: number, length: number, crc: number, modifiedMs: number];

/** The CRCs of finished segments, as they were first read in full. One thread's. */
export class SegmentCrcs {
  readonly #storage: Storage;
  readonly #path: string;
  /** By first offset; read at the first use. */
  #rows: Map<number, Row> | undefined;

  constructor(storage: Storage, path: string) {
    this.#storage = storage;
    this.#path = path;
  }

  /**
   * False when the segment is not as it was noted, although nobody has written to its file. One of which nothing is noted is noted now;
   * so is one that recovery has written again. On a disk that does not take it, it is noted later.
   *
   * @param path of the segment
   */
  isAsNoted(path: string, { fromOffset, length, crc }: SegmentCrc): boolean {
    this.#rows ??= this.#read();
    const modifiedMs = this.#storage.entry(path)?.modifiedMs ?? 0;
    const row = this.#rows.get(fromOffset);
    if (row?.[3] === modifiedMs) return row[1] === length && row[2] === crc;
    this.#rows.set(fromOffset, [fromOffset, length, crc, modifiedMs]);
    try {
      const rows = [...this.#rows.values()];
      writeCheckedFile(this.#storage, this.#path, KIND, new TextEncoder().encode(`${JSON.stringify(rows)}\n`));
    } catch {}
    return true;
  }

  #read(): Map<number, Row> {
    const found = readCheckedFile(this.#storage, this.#path, KIND);
    const rows = found.state === "good" ? (JSON.parse(new TextDecoder().decode(found.payload)) as Row[]) : [];
    return new Map(rows.map((row) => [row[0], row]));
  }

  /** Segments before the offset are gone. */
  forgetBelow(minOffset: number): void {
    for (const fromOffset of this.#rows?.keys() ?? []) if (fromOffset < minOffset) this.#rows?.delete(fromOffset);
  }
}
