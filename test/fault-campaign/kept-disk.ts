import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../support/random.js";

const PAGE = 4096;

interface KeptName {
  readonly inode: string;
  readonly isDirectory: boolean;
  readonly name: string;
}

/** What a disk would have of a directory whose calls go through the shim: see failing-calls.c for its files. */
export class KeptDisk {
  readonly directory: string;

  /** All of `root` is durable at the beginning. */
  constructor(directory: string, root: string) {
    this.directory = directory;
    for (const name of ["data", "names", "lost"]) mkdirSync(join(directory, name), { recursive: true });
    if (existsSync(root)) this.#keep(root);
  }

  #keep(path: string): void {
    const stats = statSync(path);
    if (stats.isFile()) writeFileSync(join(this.directory, "data", String(stats.ino)), readFileSync(path));
    if (!stats.isDirectory()) return;
    const entries = readdirSync(path, { withFileTypes: true });
    const names = entries.map((entry) => {
      const { ino } = statSync(join(path, entry.name));
      return `${ino} ${entry.isDirectory() ? "d" : "f"} ${entry.name}\0`;
    });
    writeFileSync(join(this.directory, "names", String(stats.ino)), names.join(""));
    for (const entry of entries) this.#keep(join(path, entry.name));
  }

  /**
   * What a power failure leaves, at a new place: what was forced, and of what was not, some pages and some names.
   *
   * @param root as processes saw it; its own name is durable
   */
  fail(root: string, target: string, random: Random): void {
    const seen = new Map<string, string>();
    const entries = readdirSync(root, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      seen.set(String(statSync(path).ino), path);
    }
    this.#restore(String(statSync(root).ino), root, target, seen, random);
  }

  #restore(inode: string, root: string | undefined, target: string, seen: ReadonlyMap<string, string>, random: Random): void {
    mkdirSync(target, { recursive: true });
    const names = new Map(this.#names(inode).map((name) => [name.name, name]));
    // Made and not yet durable by its name, which may have reached the disk all the same.
    for (const entry of root === undefined ? [] : readdirSync(root, { withFileTypes: true })) {
      const { ino } = statSync(join(root as string, entry.name));
      const name = { inode: String(ino), isDirectory: entry.isDirectory(), name: entry.name };
      if (!names.has(entry.name) && random(2) === 0) names.set(entry.name, name);
    }
    // A journal keeps the order of lengths: from one of the names on, a file that was never forced may have none.
    const emptyFrom = random(names.size + 1);
    for (const [index, name] of [...names.keys()].sort().entries()) {
      const { inode: own, isDirectory } = names.get(name) as KeptName;
      const path = join(target, name);
      if (isDirectory) this.#restore(own, seen.get(own), path, seen, random);
      else writeFileSync(path, this.#bytes(own, seen.get(own), index >= emptyFrom, random));
    }
  }

  #names(inode: string): KeptName[] {
    const path = join(this.directory, "names", inode);
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\0").slice(0, -1) : [];
    return lines.map((line) => {
      const [own = "", type, ...words] = line.split(" ");
      return { inode: own, isDirectory: type === "d", name: words.join(" ") };
    });
  }

  /** Pages that were forced, and some that were not; those that a failed force has lost never come. */
  #bytes(inode: string, path: string | undefined, mayBeEmpty: boolean, random: Random): Buffer {
    const kept = this.#file("data", inode);
    if (path === undefined || (kept === undefined && mayBeEmpty)) return kept ?? Buffer.alloc(0);
    const now = readFileSync(path);
    const lost = this.#file("lost", inode);
    const mood = random(3);
    if (mood === 0) return kept ?? Buffer.alloc(now.length);
    const bytes = Buffer.alloc(now.length);
    kept?.copy(bytes);
    for (let at = 0; at < now.length; at += PAGE) {
      const page = now.subarray(at, at + PAGE);
      if (lost?.subarray(at, at + page.length).equals(page) !== true && (mood === 1 || random(2) === 0)) page.copy(bytes, at);
    }
    return bytes;
  }

  #file(kind: string, inode: string): Buffer | undefined {
    const path = join(this.directory, kind, inode);
    return existsSync(path) ? readFileSync(path) : undefined;
  }
}
