import { basename, join } from "node:path";
import {
  decodeIndexHeader,
  INDEX_FIRST_ITEM,
  INDEX_HEADER_LENGTH,
  type IndexFileShape,
  type IndexHeader,
  indexFileLength,
  isIndexFileName,
  isIndexHeaderSane,
  MillraceError,
} from "@millrace/format";
import { isNoSpace, type Storage, type StorageEntry } from "@millrace/mapped-file";
import type { DispatchedMark } from "../../marks/dispatched-mark.js";
import { readIndexSeals, sealIndexFile } from "../../marks/index-seals.js";
import type { IndexRow } from "../scan/recovery-row.js";
import { INDEX_TABLE, type IndexFacts, type IndexVerdict } from "./index-decision.js";
import { checkIndexFiles, type IndexFileDamage, markOfGood } from "./index-file-check.js";
import { cutIndexFile, type IndexFileCutResult } from "./index-file-cut.js";
import { KeptSeals } from "./kept-seals.js";

export interface IndexRecoveryOptions extends IndexFileShape {
  readonly storage: Storage;
  readonly directory: string;
  /** Of the log, as recovered. */
  readonly minOffset: number;
  readonly maxOffset: number;
  readonly lastExitOk: boolean;
  /** Undefined in a directory that only RocketMQ has written. */
  readonly mark: DispatchedMark | undefined;
  /** Path of the seals. */
  readonly sealsPath: string;
  /** Sealed files that have not changed since the seals were written are not read; by default they are. */
  readonly believesSeals?: boolean;
  /** Undefined where no record begins. */
  readonly storeTimestampAt: (physicalOffset: number) => number | undefined;
  /** Offset one past the record; undefined where none begins. */
  readonly recordEndAt: (physicalOffset: number) => number | undefined;
}

export interface IndexRecovery {
  /** Row of the index's decision table that applied. */
  readonly row: IndexRow;
  /** The index has every record below it, and none from it on. */
  readonly indexFromOffset: number;
  /** Paths of the files that are gone. */
  readonly removed: string[];
  /** Nothing was left to go on from: all of the log is indexed again. */
  readonly rebuilt: boolean;
  /** The first file that was not as it was sealed: it and those behind it are built again. */
  readonly damage?: IndexFileDamage;
}

/**
 * Brings the index to a state that dispatching can go on from: a prefix of the log, every key of it, no key behind it. Decides by the
 * index's table. What cannot be believed is thrown away, the log has it all. Everything changed is durable on return.
 *
 * RocketMQ loses keys here (it throws the newest file away after a crash, and builds again only what its log recovery reads). After this
 * a mark must be written before anything is indexed: the old one would vouch for what comes now.
 *
 * @throws MillraceError `ERR_INDEX_FILE_SIZE`; nothing has been changed then
 */
export function recoverIndex(options: IndexRecoveryOptions): IndexRecovery {
  const { storage, sealsPath, mark, lastExitOk, maxOffset } = options;
  const seals = readIndexSeals(storage, sealsPath, options);
  if (seals === undefined) return new IndexFilesRecovery(options, new KeptSeals(storage, sealsPath, options, seals, [])).run();
  const isEnd = lastExitOk && mark?.dispatchedOffset === maxOffset;
  // Where the disk has refused the last seal, the one before it is of the same file when it ended earlier.
  const last = seals.files.find(({ name, endPhysicalOffset: end }) => name === mark?.indexFile && end === mark.indexEndOffset);
  const sealedMs = options.believesSeals === true ? storage.entry(sealsPath)?.modifiedMs : undefined;
  const { good, damage } = checkIndexFiles({ ...options, seals, lastSealed: isEnd ? last?.name : undefined, sealedMs });
  const kept = new KeptSeals(storage, sealsPath, options, seals, good);
  if (damage === undefined) return new IndexFilesRecovery(options, kept).run();
  const goodOnly = { ...options, mark: markOfGood(good, mark), lastExitOk: false };
  return { ...new IndexFilesRecovery(goodOnly, kept, basename(damage.path)).run(), damage };
}

interface KnownFile {
  readonly name: string;
  readonly header: IndexHeader;
  readonly isSane: boolean;
}

class IndexFilesRecovery {
  readonly #options: IndexRecoveryOptions;
  /** In order of their names. */
  readonly #files: KnownFile[];
  readonly #removed: string[] = [];
  readonly #seals: KeptSeals;

  /** @param damagedFrom name of the first file that is damaged: it and those behind it are removed, whatever they are */
  constructor(options: IndexRecoveryOptions, seals: KeptSeals, damagedFrom?: string) {
    this.#options = options;
    this.#seals = seals;
    this.#files = this.#load(damagedFrom);
  }

  run(): IndexRecovery {
    const { found, completeTo } = this.#look();
    const { row, verdict } = INDEX_TABLE.decide(found);
    const reached = this.#carryOut(verdict, completeTo);
    if (verdict === "rebuild" || this.#isSound(reached)) return this.#result(row, reached);
    const again = INDEX_TABLE.decide({ ...found, isSound: false });
    return this.#result(again.row, this.#carryOut(again.verdict, completeTo));
  }

  /** The facts, and the offset that the index is complete to if they are all. Changes nothing. */
  #look(): { readonly found: IndexFacts; readonly completeTo: number } {
    const { mark, lastExitOk, maxOffset } = this.#options;
    if (mark !== undefined) {
      const found = { mark: this.#lookAtMark(mark), lastExitOk, end: "none", isSound: true } as const;
      return { found, completeTo: Math.min(mark.indexedOffset, maxOffset) };
    }
    const { end, completeTo } = this.#lookAtEnd(this.#files.at(lastExitOk ? -1 : -2));
    return { found: { mark: "none", lastExitOk, end, isSound: true }, completeTo };
  }

  #lookAtMark(mark: DispatchedMark): IndexFacts["mark"] {
    const { lastExitOk, maxOffset } = this.#options;
    const { indexedOffset, indexFile, indexEndOffset } = mark;
    // Of a group that was not over the index may have had more records than the mark says.
    const isWhole = indexFile === undefined || indexEndOffset < indexedOffset;
    if (lastExitOk && isWhole && indexedOffset <= maxOffset && this.#isAsMarked(mark)) return "whole";
    if (indexFile === undefined) return "behind";
    const marked = this.#files.find(({ name }) => name === indexFile);
    return marked?.isSane && marked.header.endPhysicalOffset >= indexEndOffset ? "behind" : "lost";
  }

  /**
   * RocketMQ: what comes behind the last indexed record has no keys, or was not indexed in time. After a crash that record may have
   * had more keys, in the newest file.
   */
  #lookAtEnd(file: KnownFile | undefined): { readonly end: IndexFacts["end"]; readonly completeTo: number } {
    const { lastExitOk, minOffset, maxOffset, recordEndAt } = this.#options;
    if (file === undefined || !file.isSane) return { end: "none", completeTo: minOffset };
    const at = file.header.endPhysicalOffset;
    if (at >= maxOffset) return { end: "beyond", completeTo: maxOffset };
    if (at < minOffset || (at === 0 && !hasItems(file))) return { end: "before", completeTo: lastExitOk ? minOffset : at };
    const recordEnd = recordEndAt(at);
    if (recordEnd === undefined) return { end: "elsewhere", completeTo: minOffset };
    return { end: "record", completeTo: lastExitOk ? recordEnd : at };
  }

  /**
   * Durable on return.
   *
   * @returns the offset that the index is complete to: the one given, or less after damage
   */
  #carryOut(verdict: IndexVerdict, completeTo: number): number {
    const { mark, minOffset } = this.#options;
    if (verdict === "rebuild") {
      this.#seals.forget(this.#files.map(({ name }) => name));
      while (this.#files.length > 0) this.#removeLast();
      return minOffset;
    }
    if (verdict === "removeNewest") this.#removeLast();
    if (mark === undefined) this.#forceAll();
    if (verdict === "keep") return completeTo;
    // Files that the mark does not know yet hold only records behind it, whatever has reached the disk of them.
    if (mark !== undefined) while (this.#last !== undefined && this.#last.name !== mark.indexFile) this.#removeLast();
    return this.#dropFrom(completeTo);
  }

  /**
   * In front of the last file there is nothing to repair: its keys are in no other. And the marked file ends as it did, unless it
   * was cut before that.
   */
  #isSound(completeTo: number): boolean {
    if (this.#files.some(({ isSane }) => !isSane)) return false;
    const { mark } = this.#options;
    if (mark?.indexFile === undefined || completeTo <= mark.indexEndOffset) return true;
    return this.#last?.header.endPhysicalOffset === mark.indexEndOffset;
  }

  /** RocketMQ leaves it to the system to write what it has indexed; the mark that comes now says that it is durable. */
  #forceAll(): void {
    const { storage, directory } = this.#options;
    for (const { name } of this.#files) {
      const file = storage.open(join(directory, name), "write");
      try {
        file.force();
      } finally {
        file.close();
      }
    }
    if (this.#files.length > 0) storage.syncDirectory(directory);
  }

  get #last(): KnownFile | undefined {
    return this.#files.at(-1);
  }

  #load(damagedFrom: string | undefined): KnownFile[] {
    const { storage, directory } = this.#options;
    const length = indexFileLength(this.#options);
    const entries = storage.list(directory).filter(({ name, kind }) => kind === "file" && isIndexFileName(name));
    const isDamaged = ({ name }: StorageEntry): boolean => damagedFrom !== undefined && name >= damagedFrom;
    // The damaged one goes last: until then its seal, or what is noted of it, says that it is damaged.
    for (const { name } of entries.filter(isDamaged).reverse()) this.#remove(name);
    entries.splice(0, entries.length, ...entries.filter((entry) => !isDamaged(entry)));
    // The trace of a crash between creation and allocation.
    const unallocated = entries.at(-1)?.size === 0 ? entries.pop() : undefined;
    for (const { name, size } of entries) {
      if (size === length) continue;
      throw new MillraceError(
        "ERR_INDEX_FILE_SIZE",
        `index file of another length than maxHashSlotNum and maxIndexNum give; the index may be deleted, it is built again: ` +
          `path=${join(directory, name)} length=${size} expected=${length}`,
      );
    }
    if (unallocated !== undefined) this.#remove(unallocated.name);
    return entries.map(({ name }) => this.#read(name));
  }

  #read(name: string): KnownFile {
    const { storage, directory } = this.#options;
    const file = storage.open(join(directory, name), "read");
    try {
      const bytes = new Uint8Array(INDEX_HEADER_LENGTH);
      file.read(bytes, 0);
      const header = decodeIndexHeader(bytes);
      return { name, header, isSane: isIndexHeaderSane(header, this.#options) };
    } finally {
      file.close();
    }
  }

  #isAsMarked({ indexFile, indexEndOffset }: DispatchedMark): boolean {
    const last = this.#last;
    if (last === undefined || indexFile === undefined) return last?.name === indexFile;
    return last.name === indexFile && last.isSane && last.header.endPhysicalOffset === indexEndOffset;
  }

  /**
   * Removes everything from an offset on, and believes no slots of the last file that stays.
   *
   * @returns the offset that the index is complete to: the one given, or less after damage
   */
  #dropFrom(offset: number): number {
    let completeTo = offset;
    for (let last = this.#last; last !== undefined; last = this.#last) {
      if (!last.isSane) {
        completeTo = Math.min(completeTo, this.#endBeforeLast());
      } else if (hasItems(last) && last.header.beginPhysicalOffset < completeTo) {
        const cut = this.#cutLast(last, completeTo);
        completeTo = cut.completeTo ?? Math.min(completeTo, this.#endBeforeLast());
        if (cut.itemCount > 0) break;
      }
      this.#removeLast();
    }
    return completeTo;
  }

  #cutLast({ name, header }: KnownFile, offset: number): IndexFileCutResult {
    const { storage, directory, storeTimestampAt } = this.#options;
    const path = join(directory, name);
    this.#seals.forget([name]);
    try {
      const cut = cutIndexFile({ storage, path, shape: this.#options, header, offset, storeTimestampAt });
      this.#files[this.#files.length - 1] = this.#read(name);
      return cut;
    } catch (error) {
      // Its holes cannot be filled on a full disk; without the file, its keys can be indexed again.
      if (isNoSpace(error)) return { itemCount: 0, endPhysicalOffset: 0, completeTo: undefined };
      throw error;
    }
  }

  /** What the file before the last is complete to at least; 0 when nothing is known. */
  #endBeforeLast(): number {
    const before = this.#files.at(-2);
    return before?.isSane ? before.header.endPhysicalOffset : 0;
  }

  #removeLast(): void {
    const last = this.#files.pop();
    if (last === undefined) return;
    this.#seals.forget([last.name]);
    this.#remove(last.name);
  }

  #remove(name: string): void {
    const { storage, directory } = this.#options;
    const path = join(directory, name);
    storage.remove(path);
    storage.syncDirectory(directory);
    this.#removed.push(path);
  }

  #result(row: IndexRow, completeTo: number): IndexRecovery {
    const { minOffset, maxOffset } = this.#options;
    const indexFromOffset = Math.max(completeTo, minOffset);
    const rebuilt = this.#files.length === 0 && indexFromOffset === minOffset && maxOffset > minOffset;
    this.#seal();
    return { row, indexFromOffset, removed: this.#removed, rebuilt };
  }

  /** Seals what nobody will write to any more. */
  #seal(): void {
    const { storage, directory, maxIndexNum } = this.#options;
    const seals = this.#files.flatMap(({ name, header: { indexCount, endPhysicalOffset } }) => {
      const seal = this.#seals.of(name);
      if (seal !== undefined) return [seal];
      if (indexCount < maxIndexNum) return [];
      return [sealIndexFile(storage, directory, this.#options, { name, indexCount, endPhysicalOffset })];
    });
    this.#seals.settle(seals);
  }
}

function hasItems({ header }: KnownFile): boolean {
  return header.indexCount > INDEX_FIRST_ITEM;
}
