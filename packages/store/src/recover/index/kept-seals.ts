import { dirname } from "node:path";
import type { IndexFileShape } from "@millrace/format";
import { isNoSpace, type Storage } from "@millrace/mapped-file";
import { type IndexFileSeal, type IndexSeals, writeIndexSeals } from "../../marks/index-seals.js";

/**
 * The seals while recovery changes index files: no seal on disk is of a file that has changed since, whatever ends recovery in between.
 */
export class KeptSeals {
  readonly #storage: Storage;
  readonly #path: string;
  readonly #shape: IndexFileShape;
  /** Of files that are as they were sealed, and have not been changed since. */
  #good: readonly IndexFileSeal[];
  #onDisk: Pick<IndexSeals, "files" | "distrusted">;

  /** @param onDisk undefined when there are none */
  constructor(
    storage: Storage,
    path: string,
    shape: IndexFileShape,
    onDisk: IndexSeals | undefined,
    good: readonly IndexFileSeal[],
  ) {
    this.#storage = storage;
    this.#path = path;
    this.#shape = shape;
    this.#good = good;
    this.#onDisk = onDisk ?? { files: [], distrusted: [] };
  }

  /** Undefined of a file that was not found to be as it was sealed, or is not any more. */
  of(name: string): IndexFileSeal | undefined {
    return this.#good.find((seal) => seal.name === name);
  }

  /** Files that are about to change. None of those that stay is damaged. */
  forget(names: readonly string[]): void {
    this.#good = this.#good.filter(({ name }) => !names.includes(name));
    if (this.#onDisk.files.some(({ name }) => names.includes(name)) && !this.#write(this.#good)) this.#remove();
  }

  /** Nothing is changed any more. */
  settle(files: readonly IndexFileSeal[]): void {
    const { files: before, distrusted } = this.#onDisk;
    if (distrusted.length === 0 && files.length === before.length && files.every((seal, index) => seal === before[index])) return;
    if (!this.#write(files) && (distrusted.length > 0 || before.some((seal) => !files.includes(seal)))) this.#remove();
  }

  /** False when the disk is full. */
  #write(files: readonly IndexFileSeal[]): boolean {
    try {
      writeIndexSeals(this.#storage, this.#path, this.#shape, files, []);
    } catch (error) {
      if (isNoSpace(error)) return false;
      throw error;
    }
    this.#onDisk = { files, distrusted: [] };
    return true;
  }

  /** A full disk takes that: without a seal nothing is known of a good file, by a wrong one it is damaged. */
  #remove(): void {
    this.#storage.remove(this.#path);
    this.#storage.syncDirectory(dirname(this.#path));
    this.#onDisk = { files: [], distrusted: [] };
  }
}
