import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createStorage, type Storage, type StorageFile } from "@millrace/mapped-file";
import type { Random } from "./random.js";

/** What a power failure would find at one moment. Paths are absolute. */
export interface DiskMoment {
  /** Files as processes see them. */
  readonly current: ReadonlyMap<string, Buffer>;
  /** Files as they were when they were forced last. */
  readonly forced: ReadonlyMap<string, Buffer>;
  /** Files that are replaced as a whole. */
  readonly whole: ReadonlyMap<string, Buffer | undefined>;
  /** Directory → its names when it was synced last. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What the disk writes at once: a page, or on a bad day a sector. */
const PAGES = [4096, 512];

/**
 * Keeps account of what is durable below some directories, by watching every force of every real storage in this thread, and makes
 * of a moment what a power failure may leave of it: each page that was written since the last force is there or not, and so is each
 * name.
 */
export class UnreliableDisk {
  readonly #directories: readonly string[];
  readonly #files: readonly string[];
  #forced = new Map<string, Buffer>();
  #names = new Map<string, Set<string>>();
  readonly #onForce: () => void;
  readonly #restore: () => void;

  /** @param onForce called before each force takes effect */
  constructor(root: string, directories: readonly string[], files: readonly string[], onForce: () => void) {
    this.#files = files.map((name) => join(root, name));
    this.#directories = directories.map((name) => join(root, name));
    this.#onForce = onForce;
    this.#restore = this.#watch(root);
  }

  close(): void {
    this.#restore();
  }

  moment(): DiskMoment {
    const current = new Map<string, Buffer>();
    for (const directory of this.#directories) {
      if (!existsSync(directory)) continue;
      for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile()) current.set(path, readFileSync(path));
      }
    }
    const names = new Map([...this.#names].map(([directory, known]) => [directory, new Set(known)]));
    const whole = new Map(this.#files.map((path) => [path, existsSync(path) ? readFileSync(path) : undefined]));
    return { current, forced: new Map(this.#forced), whole, names };
  }

  /** Puts on disk what is left of a moment. */
  fail(moment: DiskMoment, random: Random): void {
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
    const kept = new Map<string, boolean>();
    const isNamed = (path: string): boolean => moment.names.get(dirname(path))?.has(basename(path)) ?? false;
    const isKept = (path: string): boolean => {
      const known = kept.get(path) ?? (isNamed(path) || random(2) === 0);
      kept.set(path, known);
      return known && (this.#directories.includes(path) || isKept(dirname(path)));
    };
    const left = new Map<string, Buffer>();
    for (const [path, bytes] of moment.current) if (isKept(path)) left.set(path, torn(moment.forced.get(path), bytes, random));
    // Removed, and not yet for good.
    for (const [path, bytes] of moment.forced)
      if (!moment.current.has(path) && isNamed(path) && random(2) === 0) left.set(path, bytes);
    for (const [path, bytes] of moment.whole) {
      if (bytes === undefined) rmSync(path, { force: true });
      else writeFileSync(path, bytes);
    }
    this.#forced = new Map();
    this.#names = new Map();
    for (const [path, bytes] of left) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
      this.#forced.set(path, bytes);
    }
    for (const directory of this.#directories) this.#syncAll(directory);
  }

  #syncAll(directory: string): void {
    this.#sync(dirname(directory));
    if (!existsSync(directory)) return;
    this.#sync(directory);
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true }))
      if (entry.isDirectory()) this.#sync(join(entry.parentPath, entry.name));
  }

  #sync(directory: string): void {
    this.#names.set(directory, new Set(readdirSync(directory)));
  }

  #force(path: string): void {
    if (!existsSync(path)) return;
    this.#onForce();
    if (statSync(path).isDirectory()) this.#sync(path);
    else if (this.#directories.some((directory) => path.startsWith(directory))) this.#forced.set(path, readFileSync(path));
  }

  #watch(root: string): () => void {
    const storage = createStorage({ kind: "real" });
    const probe = join(root, "probe");
    const file = storage.open(probe, "create");
    const storages = Object.getPrototypeOf(storage) as Storage;
    const files = Object.getPrototypeOf(file) as StorageFile;
    file.close();
    rmSync(probe);
    const { syncDirectory, forceInBackground } = storages;
    const { force } = files;
    const forceHere = (path: string): void => this.#force(path);
    // The real ones are not called: they take time, and nothing pulls the plug here.
    storages.syncDirectory = forceHere;
    storages.forceInBackground = async (path) => forceHere(path);
    files.force = function (this: StorageFile) {
      forceHere(this.path);
    };
    return () => {
      Object.assign(storages, { syncDirectory, forceInBackground });
      Object.assign(files, { force });
    };
  }
}

/** A file of which some pages have been written and others have not. One that was never forced may not even have its length. */
function torn(forced: Buffer | undefined, current: Buffer, random: Random): Buffer {
  const mood = random(4);
  if (mood === 0) return current;
  if (mood === 1) return forced ?? Buffer.alloc(random(2) * current.length);
  const old = Buffer.alloc(current.length);
  forced?.copy(old);
  const bytes = Buffer.from(current);
  const page = PAGES[random(PAGES.length)] as number;
  for (let at = 0; at < bytes.length; at += page) if (random(2) === 0) old.copy(bytes, at, at, Math.min(at + page, bytes.length));
  return bytes;
}
