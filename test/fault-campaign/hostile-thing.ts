import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";

const TIB = 1024 ** 4;
const GIB = 1024 ** 3;
const PRECIOUS = "somebody's own file; nobody else may write to it\n";

export const HOSTILE_THINGS = [
  "missing",
  "FIFO",
  "socket",
  "directory",
  "directory with a file",
  "link to nothing",
  "link to itself",
  "link to a device",
  "link to a file of somebody's",
  "link to somebody's copy of it",
  "link to a directory of somebody's",
  "a hole of 1 TiB",
  "a hole of 2 GiB",
  "empty",
  "half as long",
  "a byte longer",
  "other bytes",
] as const;
export type HostileThing = (typeof HOSTILE_THINGS)[number];

export interface ThingMade extends AsyncDisposable {
  /** What lies outside and is only linked to is not the store's. */
  isOutsideTouched(): boolean;
}

/**
 * Puts something else where a path of a store leads.
 *
 * @param outside a directory to be made for what links lead to
 */
export async function putThing(path: string, thing: HostileThing, outside: string): Promise<ThingMade> {
  mkdirSync(join(outside, "directory"), { recursive: true });
  const length = existsSync(path) && statSync(path).isFile() ? statSync(path).size : 0;
  const bytes = length > 0 ? readFileSync(path) : Buffer.alloc(0);
  const precious = Buffer.from(PRECIOUS);
  const victims: readonly (readonly [path: string, content: Buffer])[] = [
    [join(outside, "file"), precious],
    [join(outside, "directory", "00000000000000000000"), precious],
    [join(outside, "copy"), bytes],
  ];
  for (const [victim, content] of victims) writeFileSync(victim, content);
  rmSync(path, { recursive: true, force: true });
  const end = thing === "socket" ? await listen(path) : () => place(path, thing, outside, bytes);
  if (thing !== "socket") await end();
  return {
    isOutsideTouched: () => victims.some(([victim, content]) => !existsSync(victim) || !readFileSync(victim).equals(content)),
    [Symbol.asyncDispose]: async () => {
      if (thing === "socket") await end();
    },
  };
}

function place(path: string, thing: HostileThing, outside: string, bytes: Uint8Array): void {
  const makes: Record<Exclude<HostileThing, "socket">, () => void> = {
    missing: () => {},
    FIFO: () => {
      if (spawnSync("mkfifo", [path]).status !== 0) throw new Error(`no FIFO can be made: path=${path}`);
    },
    directory: () => mkdirSync(path),
    "directory with a file": () => {
      mkdirSync(path);
      writeFileSync(join(path, "00000000000000000000"), PRECIOUS);
    },
    "link to nothing": () => symlinkSync(join(outside, "nothing"), path),
    "link to itself": () => symlinkSync(basename(path), path),
    "link to a device": () => symlinkSync("/dev/zero", path),
    "link to a file of somebody's": () => symlinkSync(join(outside, "file"), path),
    "link to somebody's copy of it": () => symlinkSync(join(outside, "copy"), path),
    "link to a directory of somebody's": () => symlinkSync(join(outside, "directory"), path),
    "a hole of 1 TiB": () => makeHole(path, TIB),
    "a hole of 2 GiB": () => makeHole(path, 2 * GIB),
    empty: () => writeFileSync(path, ""),
    "half as long": () => writeFileSync(path, bytes.subarray(0, bytes.length >> 1)),
    "a byte longer": () => writeFileSync(path, Buffer.concat([bytes, Uint8Array.of(0)])),
    "other bytes": () => writeFileSync(path, randomBytes(bytes.length)),
  };
  makes[thing as Exclude<HostileThing, "socket">]();
}

function makeHole(path: string, length: number): void {
  writeFileSync(path, "");
  truncateSync(path, length);
}

/** A socket's name goes with its server; the name is made relative, because it may have no more than 107 bytes. */
async function listen(path: string): Promise<() => Promise<void>> {
  const server = createServer();
  const before = process.cwd();
  process.chdir(dirname(path));
  const listening = new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
  // A name of digits alone would be taken for a port.
  server.listen(`./${basename(path)}`);
  process.chdir(before);
  await listening;
  return () => new Promise((resolve) => server.close(() => resolve()));
}
