import {
  closeSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { crc32 } from "@millrace/format";
import { PAGE_LENGTH } from "./page.js";
import type { WriteBackFailure, WriteBackSpec } from "./storage.js";

/** Codes by their number in an error word. */
const CODES = ["", "EIO", "ENOSPC", "EDQUOT"] as const;
const CODE_MASK = 3;
const SEEN = 4;
const ONE_ERROR = 8;

const LOCK_WORD = 0;
const FIRST_COUNTDOWN = 1;
const MAX_FAILURES = 15;
const TABLE_WORD = FIRST_COUNTDOWN + MAX_FAILURES;
const ENTRIES = 8192;
const NEVER = -1;

/** What a {@link WriteBackSpec} needs: a lock, a countdown per failure, and per file the hash of its path and its error word. @forTests */
export function writeBackWords(failures: readonly WriteBackFailure[]): SharedArrayBuffer {
  const words = new Int32Array(new SharedArrayBuffer((TABLE_WORD + 2 * ENTRIES) * Int32Array.BYTES_PER_ELEMENT));
  for (const [index, { after }] of failures.entries()) words[FIRST_COUNTDOWN + index] = after;
  return words.buffer as SharedArrayBuffer;
}

/**
 * Linux's page cache as far as it decides what a force may be believed: the files themselves are the cache. Beside them lie two
 * images, each with the absolute path of its file below it: `disk`, which is what was written back, and `seen`, the cache as the last
 * write-back found it, written or lost. A page is dirty while it differs from `seen`. An error of a write-back is kept as an errseq_t:
 * each descriptor that was open hears of it once, and one that is opened after the first report never does.
 *
 * Names are durable at once here, and lengths too.
 */
export class WriteBackDisk {
  readonly #spec: WriteBackSpec;
  readonly #words: Int32Array;
  readonly #page = Buffer.alloc(PAGE_LENGTH);
  readonly #seenPage = Buffer.alloc(PAGE_LENGTH);

  constructor(spec: WriteBackSpec) {
    this.#spec = spec;
    this.#words = new Int32Array(spec.words);
  }

  /** One thread at a time. */
  locked<T>(work: () => T): T {
    while (Atomics.compareExchange(this.#words, LOCK_WORD, 0, 1) !== 0) Atomics.wait(this.#words, LOCK_WORD, 1);
    try {
      return work();
    } finally {
      Atomics.store(this.#words, LOCK_WORD, 0);
      Atomics.notify(this.#words, LOCK_WORD);
    }
  }

  /** Before a file is opened for writing: what it holds already is on the disk. */
  adopt(path: string): void {
    const [disk, seen] = this.#images(path);
    if (existsSync(disk)) return;
    for (const image of [disk, seen]) {
      mkdirSync(dirname(image), { recursive: true });
      if (existsSync(path)) copyFileSync(path, image);
      else writeFileSync(image, "");
    }
    this.#words[this.#entry(path) + 1] = 0;
  }

  /** Bytes that were written are dirty, even where they are the same as before. */
  dirty(path: string, source: Uint8Array, position: number): void {
    const [, seen] = this.#images(path);
    const unlike = Buffer.from(source).map((byte) => ~byte);
    withFile(seen, (fd) => writeSync(fd, unlike, 0, unlike.length, position));
  }

  truncate(path: string, size: number): void {
    for (const image of this.#images(path)) if (existsSync(image)) truncateSync(image, size);
  }

  rename(from: string, to: string): void {
    const [sources, targets] = [this.#images(from), this.#images(to)];
    for (const [index, target] of targets.entries()) {
      rmSync(target, { recursive: true, force: true });
      mkdirSync(dirname(target), { recursive: true });
      if (existsSync(sources[index] as string)) renameSync(sources[index] as string, target);
    }
    this.#words[this.#entry(to) + 1] = this.#words[this.#entry(from) + 1] as number;
  }

  remove(path: string): void {
    for (const image of this.#images(path)) rmSync(image, { force: true });
    this.#words[this.#entry(path) + 1] = 0;
  }

  /** What a descriptor that is opened now knows of errors: one that nobody was notified of is still news to it. */
  sample(path: string): number {
    const word = this.#words[this.#entry(path) + 1] as number;
    return (word & SEEN) === 0 ? 0 : word;
  }

  /** The code that a descriptor is notified of now, if any; and what it knows from then on. */
  check(path: string, since: number): { readonly code: string | undefined; readonly since: number } {
    const at = this.#entry(path) + 1;
    const word = this.#words[at] as number;
    if (word === since) return { code: undefined, since };
    const told = word | SEEN;
    this.#words[at] = told;
    return { code: CODES[word & CODE_MASK] || undefined, since: told };
  }

  /**
   * The dirty pages of a file that bytes [from, to) lie in, by the kernel's own will or for a force; `code` makes it fail. Clean pages
   * need none.
   */
  writeBack(path: string, code?: string, from = 0, to = Number.POSITIVE_INFINITY): void {
    const pages = this.#dirtyPages(path, from - (from % PAGE_LENGTH), to);
    if (pages.length === 0) return;
    const failure = code ?? this.#planned(path);
    const images = failure === undefined ? this.#images(path) : [this.#images(path)[1]];
    for (const image of images)
      withFile(image, (fd) => {
        for (const { position, bytes } of pages) writeSync(fd, bytes, 0, bytes.length, position);
      });
    if (failure !== undefined) this.#setError(path, failure);
  }

  /** The failure of this place in the plan fails the write-back after `after` more of its files. */
  arm(index: number, after: number): void {
    Atomics.store(this.#words, FIRST_COUNTDOWN + index, after);
  }

  /** The cache is gone, with all that was not written back; errors are forgotten. Nobody has a file open. */
  remount(): void {
    const disk = join(this.#spec.images, "disk");
    if (!existsSync(disk)) return;
    for (const entry of readdirSync(disk, { recursive: true, withFileTypes: true })) {
      const image = join(entry.parentPath, entry.name);
      const path = join("/", relative(disk, image));
      if (entry.isFile() && existsSync(path)) copyFileSync(image, path);
    }
    rmSync(join(this.#spec.images, "seen"), { recursive: true });
    cpSync(disk, join(this.#spec.images, "seen"), { recursive: true });
    this.#words.fill(0, TABLE_WORD);
  }

  #images(path: string): [disk: string, seen: string] {
    return [join(this.#spec.images, "disk", path), join(this.#spec.images, "seen", path)];
  }

  #dirtyPages(path: string, from: number, to: number): { position: number; bytes: Buffer }[] {
    const [, seen] = this.#images(path);
    const pages: { position: number; bytes: Buffer }[] = [];
    if (!existsSync(seen) || !existsSync(path)) return pages;
    const end = Math.min(statSync(path).size, to);
    withFile(path, (fd) =>
      withFile(seen, (seenFd) => {
        for (let position = from; position < end; position += PAGE_LENGTH) {
          const length = readSync(fd, this.#page, 0, PAGE_LENGTH, position);
          const seenLength = readSync(seenFd, this.#seenPage, 0, PAGE_LENGTH, position);
          if (this.#page.compare(this.#seenPage, 0, seenLength, 0, length) === 0) continue;
          pages.push({ position, bytes: Buffer.from(this.#page.subarray(0, length)) });
        }
      }),
    );
    return pages;
  }

  #planned(path: string): string | undefined {
    let code: string | undefined;
    for (const [index, failure] of this.#spec.failures.entries()) {
      const left = this.#words[FIRST_COUNTDOWN + index] as number;
      if (left === NEVER || !path.includes(failure.path)) continue;
      this.#words[FIRST_COUNTDOWN + index] = left - 1;
      if (left === 0) code ??= failure.code;
    }
    return code;
  }

  #setError(path: string, code: string): void {
    const at = this.#entry(path) + 1;
    const word = this.#words[at] as number;
    const count = (word & ~(CODE_MASK | SEEN)) + ((word & SEEN) === 0 ? 0 : ONE_ERROR);
    this.#words[at] = count | Math.max(1, CODES.indexOf(code as (typeof CODES)[number]));
  }

  /** The file's place in the table. */
  #entry(path: string): number {
    const hash = crc32(Buffer.from(path)) | 0 || 1;
    for (let probe = 0; probe < ENTRIES; probe++) {
      const at = TABLE_WORD + 2 * (((hash >>> 0) + probe) % ENTRIES);
      if (this.#words[at] === 0) this.#words[at] = hash;
      if (this.#words[at] === hash) return at;
    }
    throw new Error(`more files than the table has entries: path=${path}`);
  }
}

function withFile<T>(path: string, work: (fd: number) => T): T {
  const fd = openSync(path, constants.O_RDWR);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
