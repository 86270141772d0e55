import { join } from "node:path";
import { crc32, type IndexFileShape, indexItemPosition } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { readCheckedFile, writeCheckedFile } from "./checked-file.js";
import { INDEX_SEALS_MAGIC } from "./checked-file-descriptor.js";

const KIND = { magic: INDEX_SEALS_MAGIC, version: 1 };
const CHUNK_LENGTH = 1024 * 1024;

/** What an index file held when nothing was written to it any more, or the store was closed. */
export interface IndexFileSeal {
  readonly name: string;
  /** Of its header. */
  readonly indexCount: number;
  readonly endPhysicalOffset: number;
  /** Over header, slots and items. */
  readonly crc: number;
}

/** The index files, oldest first: the finished ones, and after a clean end the last one. */
export interface IndexSeals extends IndexFileShape {
  readonly files: readonly IndexFileSeal[];
  /** Names of files that were found not to be as they were written. Damaged for as long as they are there, whatever is known of them. */
  readonly distrusted: readonly string[];
}

/** Without names where no file is distrusted. */
type WrittenSeals = Omit<IndexSeals, "distrusted"> & Partial<IndexSeals>;

/** Undefined when there are none for files of this shape: then nothing is known of any. */
export function readIndexSeals(storage: Storage, path: string, shape: IndexFileShape): IndexSeals | undefined {
  const content = readCheckedFile(storage, path, KIND);
  if (content.state !== "good") return undefined;
  const { distrusted = [], ...seals } = JSON.parse(new TextDecoder().decode(content.payload)) as WrittenSeals;
  if (seals.maxHashSlotNum !== shape.maxHashSlotNum || seals.maxIndexNum !== shape.maxIndexNum) return undefined;
  return { ...seals, distrusted };
}

/** Atomic, and durable on return. */
export function writeIndexSeals(
  storage: Storage,
  path: string,
  { maxHashSlotNum, maxIndexNum }: IndexFileShape,
  files: readonly IndexFileSeal[],
  distrusted: readonly string[],
): void {
  const some = distrusted.length === 0 ? {} : { distrusted };
  const text = JSON.stringify({ maxHashSlotNum, maxIndexNum, files, ...some } satisfies WrittenSeals);
  writeCheckedFile(storage, path, KIND, new TextEncoder().encode(`${text}\n`));
}

/** So much of the file its CRC is over, in bytes. */
export function sealedLength({ maxHashSlotNum }: IndexFileShape, { indexCount }: Pick<IndexFileSeal, "indexCount">): number {
  return indexItemPosition(maxHashSlotNum, indexCount);
}

/** Reads the file up to behind item `indexCount - 1`; what lies there means nothing. 420 MB of a full one by default: about 0.2 s. */
export function sealIndexFile(
  storage: Storage,
  directory: string,
  shape: IndexFileShape,
  { name, indexCount, endPhysicalOffset }: Omit<IndexFileSeal, "crc">,
): IndexFileSeal {
  const file = storage.open(join(directory, name), "read");
  try {
    const end = Math.min(sealedLength(shape, { indexCount }), file.size());
    const chunk = new Uint8Array(Math.min(CHUNK_LENGTH, end));
    let crc = 0;
    for (let at = 0; at < end; at += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, end - at));
      crc = crc32(part.subarray(0, file.read(part, at)), crc);
    }
    return { name, indexCount, endPhysicalOffset, crc };
  } finally {
    file.close();
  }
}
