import { closeSync, existsSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import type { Random } from "../support/random.js";

const UNIT = 20;
const GARBAGE_LENGTH = 64;

/**
 * What happens to a directory while nobody has it open. RocketMQ rebuilds what is missing altogether; Millrace also what is damaged
 * in part. (After a clean end it looks at the newest index file only, so that is the one to be damaged.)
 */
export const DAMAGES_FOR_ROCKETMQ = ["derived", "checkpoint", "none", "none"] as const;
export const DAMAGES_FOR_MILLRACE = [
  "derived",
  "checkpoint",
  "consumequeue",
  "index",
  "oneQueue",
  "unit",
  "queueTail",
  "indexGarbage",
  "checkpointGarbage",
  "none",
  "none",
] as const;

export type Damage = (typeof DAMAGES_FOR_MILLRACE)[number];

export function inflict(root: string, damage: Damage, random: Random): void {
  const paths = storePaths(root);
  const remove = (path: string): void => rmSync(path, { recursive: true, force: true });
  if (damage === "derived" || damage === "checkpoint") remove(paths.checkpoint);
  if (damage === "derived" || damage === "consumequeue") remove(paths.consumeQueue);
  if (damage === "derived" || damage === "index") remove(paths.index);
  const queueFile = oneOf(filesBelow(paths.consumeQueue), random);
  if (damage === "oneQueue" && queueFile !== undefined) remove(join(queueFile, ".."));
  if (damage === "unit" && queueFile !== undefined) garble(queueFile, random(statSync(queueFile).size / UNIT) * UNIT, UNIT, random);
  if (damage === "queueTail" && queueFile !== undefined) zeroTail(queueFile, 1 + random(4));
  const indexFile = filesBelow(paths.index).at(-1);
  if (damage === "indexGarbage" && indexFile !== undefined) {
    garble(indexFile, random(statSync(indexFile).size - GARBAGE_LENGTH), GARBAGE_LENGTH, random);
  }
  if (damage === "checkpointGarbage" && existsSync(paths.checkpoint)) garble(paths.checkpoint, 0, GARBAGE_LENGTH, random);
}

/** Zeros where the record lay, from somewhere before its body on: a page that never reached the disk. */
export function tearRecord(root: string, segmentSize: number, record: { offset: number; size: number }, random: Random): void {
  const start = record.offset + 4 + random(80);
  const end = record.offset + record.size;
  const segment = record.offset - (record.offset % segmentSize);
  const path = join(storePaths(root).commitLog, String(segment).padStart(20, "0"));
  write(path, start - segment, Buffer.alloc(end - start));
}

/** Those that hold something: RocketMQ, killed, may leave files without a length. */
function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name));
  return paths.filter((path) => statSync(path).size > 0).sort();
}

function oneOf(values: readonly string[], random: Random): string | undefined {
  return values[random(Math.max(values.length, 1))];
}

function garble(path: string, position: number, length: number, random: Random): void {
  write(path, position, Buffer.from(Array.from({ length }, () => random(256))));
}

/** The last units that hold something. */
function zeroTail(path: string, units: number): void {
  const length = statSync(path).size;
  const bytes = Buffer.alloc(length);
  const file = openSync(path, "r");
  readSync(file, bytes, 0, length, 0);
  closeSync(file);
  let end = length;
  while (end > 0 && bytes.subarray(end - UNIT, end).every((byte) => byte === 0)) end -= UNIT;
  const start = Math.max(0, end - units * UNIT);
  write(path, start, Buffer.alloc(end - start));
}

function write(path: string, position: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, position);
  closeSync(file);
}
