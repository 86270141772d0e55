import { posix } from "node:path";
import { importsOf, resolveImport } from "./imports.js";
import type { Rule, SourceFile, SourceTree, Violation } from "./source-tree.js";

/** A folder of sources: which thread runs it, and which rooms below it it may use. */
interface Room {
  readonly thread: string;
  readonly uses: readonly string[];
}

/** @forTests */
export type Rooms = Readonly<Record<string, Room>>;

/**
 * Rooms by folder, from that of all rooms (`packages/store/src`, `scripts`). A file directly in it is the face: it may use every room.
 *
 * @forTests
 */
export const ROOMS: Readonly<Record<string, Rooms>> = {
  "packages/store/src": {
    config: { thread: "any", uses: [] },
    tell: { thread: "any", uses: ["config"] },
    marks: { thread: "any, one writer each", uses: [] },
    pipeline: { thread: "main starts it", uses: ["config"] },
    replicate: { thread: "replicate; append of a slave", uses: ["pipeline", "config", "tell"] },
    append: { thread: "append", uses: ["pipeline", "marks", "replicate", "config", "tell"] },
    flush: { thread: "flush", uses: ["pipeline", "config", "marks"] },
    dispatch: { thread: "dispatch", uses: ["pipeline", "config", "marks", "tell"] },
    allocate: { thread: "allocate", uses: ["pipeline", "config", "marks", "tell"] },
    put: { thread: "main", uses: ["config", "tell"] },
    produce: { thread: "a producer's, of the user", uses: ["put", "config"] },
    read: { thread: "main", uses: ["put", "config", "tell"] },
    consume: { thread: "main", uses: ["read", "put", "config", "tell"] },
    clean: { thread: "main", uses: ["read", "put", "pipeline", "config", "tell"] },
    broker: { thread: "main", uses: ["read", "put", "marks", "tell"] },
    "broker/delay": { thread: "main", uses: ["broker", "read", "put", "marks"] },
    "broker/transaction": { thread: "main", uses: ["broker", "read", "put", "config"] },
    "recover/scan": { thread: "main and pool", uses: [] },
    "recover/log": { thread: "main and pool", uses: ["recover/scan", "config", "marks"] },
    "recover/queues": { thread: "main and pool", uses: ["recover/scan"] },
    "recover/index": { thread: "main", uses: ["recover/scan", "marks"] },
    recover: {
      thread: "main",
      uses: ["recover/log", "recover/queues", "recover/index", "recover/scan", "config", "marks"],
    },
    follow: { thread: "main", uses: ["recover", "broker", "consume", "read", "put", "config", "marks", "tell"] },
    copy: { thread: "main and pool", uses: ["recover/scan", "recover/index", "config", "marks"] },
    open: {
      thread: "main",
      uses: [
        "copy",
        "put",
        "produce",
        "read",
        "consume",
        "clean",
        "broker",
        "broker/delay",
        "broker/transaction",
        "replicate",
        "pipeline",
        "recover",
        "recover/log",
        "recover/queues",
        "config",
        "marks",
        "tell",
      ],
    },
  },
  scripts: {
    tidy: { thread: "own process", uses: [] },
    documents: { thread: "own process", uses: [] },
    "dashboard-overhead": { thread: "own process", uses: [] },
    "install-test": { thread: "own process", uses: [] },
    "load-generator": { thread: "own process", uses: [] },
    "bench/contestants": { thread: "own process", uses: ["load-generator"] },
    "bench/java": { thread: "own process", uses: ["bench/contestants"] },
    "bench/measurements": { thread: "own process", uses: ["bench/java", "bench/contestants", "load-generator"] },
    "bench/figures": { thread: "own process", uses: ["bench/java", "bench/measurements", "bench/contestants"] },
    bench: {
      thread: "own process",
      uses: ["bench/figures", "bench/measurements", "bench/java", "bench/contestants", "load-generator"],
    },
  },
};

function checkFile(tree: SourceTree, file: SourceFile, base: string, rooms: Rooms): Violation[] {
  const from = roomOf(file.path, base);
  if (from === "") return [];
  const room = rooms[from];
  if (room === undefined)
    return [{ path: file.path, line: 0, message: `the table of rooms does not know this folder, room=${from}` }];
  const found: Violation[] = [];
  for (const { specifier, line, isReference } of importsOf(file)) {
    // A worker's entry is named by its URL; nothing of it is used.
    const target = isReference ? undefined : resolveImport(tree, file, specifier);
    if (target === undefined || !target.path.startsWith(`${base}/`)) continue;
    const to = roomOf(target.path, base);
    if (to === from || room.uses.includes(to)) continue;
    const message =
      to === "" ? `${from} must not use the face, import=${specifier}` : `${from} must not use ${to}, import=${specifier}`;
    found.push({ path: file.path, line, message });
  }
  return found;
}

function roomOf(path: string, base: string): string {
  return posix.dirname(path.slice(base.length + 1)).replace(/^\.$/, "");
}

/** Whether a room reaches itself through the rooms that it may use. */
function cycles(base: string, rooms: Rooms): Violation[] {
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (rooms[from]?.uses ?? []).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  return Object.keys(rooms)
    .filter((name) => reaches(name, name, new Set()))
    .map((name) => ({ path: base, line: 0, message: `a room is below itself, room=${name}` }));
}

/** {@link rooms} with a table of a test's choosing. @forTests */
export function checkRooms(tree: SourceTree, table: Readonly<Record<string, Rooms>>): Violation[] {
  return Object.entries(table).flatMap(([base, rooms]) => [
    ...cycles(base, rooms),
    ...tree.files
      .filter(({ path }) => path.startsWith(`${base}/`) && path.endsWith(".ts"))
      .flatMap((file) => checkFile(tree, file, base, rooms)),
  ]);
}

/** A folder uses only rooms below it: the table above is the direction of a message's story. */
export const rooms: Rule = {
  name: "rooms",
  check: (tree) => checkRooms(tree, ROOMS),
};
