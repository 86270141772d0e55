import { join } from "node:path";
import { type IndexFileShape, isIndexFileName } from "@millrace/format";
import { openIfThere, type Storage } from "@millrace/mapped-file";
import { indexItemsIn, indexShapeOf, likelyIndexShapeOf } from "./index-shape.js";

/** What is asked of a file's bytes. */
type Question<T> = (bytes: Uint8Array) => T;

/**
 * Learns from the files of an index which shape they have. A file that cannot be read costs no other, nor does one that has items and tells
 * nothing: it is damaged, and is looked through again when its items have doubled, because that takes seconds where it is large.
 */
export class IndexShapeSearch {
  readonly #storage: Storage;
  readonly #directory: string;
  /** File → the items that it had when it told nothing. */
  readonly #silent = new Map<string, number>();
  #found: IndexFileShape | undefined;

  constructor(storage: Storage, directory: string) {
    this.#storage = storage;
    this.#directory = directory;
  }

  /**
   * Undefined while no file has an item to tell by. All files are asked whether they have a likely shape before any is looked through.
   *
   * @throws what the system says of a file, when no other tells the shape
   */
  find(): IndexFileShape | undefined {
    this.#found ??= this.#search();
    return this.#found;
  }

  #search(): IndexFileShape | undefined {
    const errors: unknown[] = [];
    const unlikely: { readonly file: string; readonly path: string; readonly items: number }[] = [];
    for (const { kind, name, size, inode } of this.#storage.list(this.#directory)) {
      if (kind !== "file" || size === 0 || !isIndexFileName(name)) continue;
      const path = join(this.#directory, name);
      const answer = this.#ask(path, errors, (bytes) => ({ shape: likelyIndexShapeOf(bytes), items: indexItemsIn(bytes) }));
      if (answer?.shape !== undefined) return answer.shape;
      if (answer !== undefined && answer.items > 0) unlikely.push({ file: `${name} ${inode}`, path, items: answer.items });
    }
    for (const { file, path, items } of unlikely) {
      if (items < 2 * (this.#silent.get(file) ?? 0)) continue;
      const shape = this.#ask(path, errors, indexShapeOf);
      if (shape !== undefined) return shape;
      this.#silent.set(file, items);
    }
    if (errors.length > 0) throw errors[0];
    return undefined;
  }

  #ask<T>(path: string, errors: unknown[], question: Question<T>): T | undefined {
    try {
      return this.#read(path, question);
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  }

  #read<T>(path: string, question: Question<T>): T | undefined {
    const file = openIfThere(this.#storage, path);
    if (file === undefined) return undefined;
    try {
      const mapping = file.map("read");
      try {
        return question(mapping.bytes);
      } finally {
        mapping.unmap();
      }
    } finally {
      file.close();
    }
  }
}
