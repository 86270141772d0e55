import { join } from "node:path";
import { type IndexFileShape, indexFileLength, isIndexFileName } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import type { DispatchedMark } from "../../marks/dispatched-mark.js";
import { type IndexFileSeal, type IndexSeals, sealIndexFile } from "../../marks/index-seals.js";

/** An index file that is not as it was sealed. */
export interface IndexFileDamage {
  readonly path: string;
  readonly reason: string;
}

export interface IndexFileCheckOptions extends IndexFileShape {
  readonly storage: Storage;
  readonly directory: string;
  readonly seals: IndexSeals;
  readonly minOffset: number;
  /** Nothing was indexed since the seals were written: the last file has to match, too. */
  readonly isLastSealed: boolean;
  /** When the seals were written, in milliseconds: files that have not changed since are believed. Undefined when none is. */
  readonly sealedMs?: number | undefined;
}

export interface IndexFileCheck {
  /** Files that are as they were sealed, oldest first, up to the first that is not. */
  readonly good: readonly IndexFileSeal[];
  /** Undefined when all are. */
  readonly damage: IndexFileDamage | undefined;
}

/** Compares index files with their seals, up to the first damaged one. Reads those that are not believed; changes nothing. */
export function checkIndexFiles({
  storage,
  directory,
  seals,
  minOffset,
  isLastSealed,
  sealedMs = 0,
  ...shape
}: IndexFileCheckOptions): IndexFileCheck {
  const good: IndexFileSeal[] = [];
  const finished = seals.files.filter(({ indexCount }) => indexCount >= shape.maxIndexNum || isLastSealed);
  for (const seal of finished) {
    const path = join(directory, seal.name);
    const reason = reasonAgainst(storage, directory, shape, seal, sealedMs);
    // Retention may have taken it, before it could say so.
    if (reason === "missing" && seal.endPhysicalOffset < minOffset && good.length === 0) continue;
    if (reason !== undefined) return { good, damage: { path, reason } };
    good.push(seal);
  }
  // The seals are of files of this shape: another length is damage, and not another configuration.
  const length = indexFileLength(shape);
  const odd = storage
    .list(directory)
    .find(({ name, kind, size }) => kind === "file" && isIndexFileName(name) && size !== length && size !== 0);
  if (odd === undefined) return { good, damage: undefined };
  const reason = `another length: length=${odd.size} expected=${length}`;
  return { good: good.filter(({ name }) => name < odd.name), damage: { path: join(directory, odd.name), reason } };
}

/** What a mark would say when these files are left: complete up to the last record that they have, which may have more keys. */
export function markOfGood(good: readonly IndexFileSeal[], mark: DispatchedMark | undefined): DispatchedMark {
  const last = good.at(-1);
  const end = last?.endPhysicalOffset ?? 0;
  return { dispatchedOffset: mark?.dispatchedOffset ?? 0, indexedOffset: end, indexFile: last?.name, indexEndOffset: end };
}

function reasonAgainst(
  storage: Storage,
  directory: string,
  shape: IndexFileShape,
  seal: IndexFileSeal,
  sealedMs: number,
): string | undefined {
  const entry = storage.entry(join(directory, seal.name));
  if (entry === undefined) return "missing";
  if (entry.kind !== "file") return `no file: kind=${entry.kind}`;
  if (entry.size !== indexFileLength(shape)) return `another length: length=${entry.size} expected=${indexFileLength(shape)}`;
  if (entry.modifiedMs <= sealedMs) return undefined;
  return sealIndexFile(storage, directory, shape, seal).crc === seal.crc ? undefined : "the CRC does not match";
}
