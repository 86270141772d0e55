import { join } from "node:path";
import { type IndexFileShape, indexFileLength, isIndexFileName } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import type { DispatchedMark } from "../../marks/dispatched-mark.js";
import { type IndexFileSeal, type IndexSeals, sealIndexFile } from "../../marks/index-seals.js";

/** An index file that is not as it was sealed, or was found so while the store was open. */
export interface IndexFileDamage {
  readonly path: string;
  readonly reason: string;
}

export interface IndexFileCheckOptions extends IndexFileShape {
  readonly storage: Storage;
  readonly directory: string;
  readonly seals: IndexSeals;
  readonly minOffset: number;
  /** Name of the last file, if nothing was indexed since it was sealed: it has to match, too. */
  readonly lastSealed: string | undefined;
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
  lastSealed,
  sealedMs = 0,
  ...shape
}: IndexFileCheckOptions): IndexFileCheck {
  // The seals are of files of this shape: another length is damage, and not another configuration.
  const length = indexFileLength(shape);
  const files = storage.list(directory).filter(({ name, kind }) => kind === "file" && isIndexFileName(name));
  const known = files.find(({ name, size }) => seals.distrusted.includes(name) || (size !== length && size !== 0));
  const good: IndexFileSeal[] = [];
  const finished = seals.files.filter(({ name, indexCount }) => indexCount >= shape.maxIndexNum || name === lastSealed);
  for (const seal of finished) {
    if (known !== undefined && seal.name >= known.name) break;
    const path = join(directory, seal.name);
    const reason = reasonAgainst(storage, directory, shape, seal, sealedMs);
    // Retention may have taken it, before it could say so.
    if (reason === "missing" && seal.endPhysicalOffset < minOffset && good.length === 0) continue;
    if (reason !== undefined) return { good, damage: { path, reason } };
    good.push(seal);
  }
  if (known === undefined) return { good, damage: undefined };
  const { name, size = 0 } = known;
  const reason = size === length ? "the CRC did not match" : `another length: length=${size} expected=${length}`;
  return { good, damage: { path: join(directory, name), reason } };
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
