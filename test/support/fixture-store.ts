import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StorePaths } from "@millrace/format";
import { parseSegmentFileName, storePaths } from "@millrace/format";
import { projectRoot } from "./project-root.js";

/** One store directory that a Java store wrote, and what it printed while doing so. */
export interface FixtureStore {
  name: string;
  /** 4.9 writes no separator after the last property, and transforms delayed messages in the store. */
  version: "4.9" | "5.3";
  appendPropertyCrc: boolean;
  paths: StorePaths;
  segments: FixtureSegment[];
  puts: FixturePut[];
}

export interface FixtureSegment {
  offset: number;
  bytes: Buffer;
}

/** One `name -> status …` line; only an appended message has `append`. */
export interface FixturePut {
  name: string;
  status: string;
  append?: { offset: number; bytes: number; queueOffset: number; msgIds: string[] };
}

/** Options that the fixtures were made with. */
export const FIXTURE_SIZES = {
  mappedFileSizeCommitLog: 4096,
  mappedFileSizeConsumeQueue: 200,
  maxHashSlotNum: 100,
  maxIndexNum: 50,
} as const;

/** Levels of the delayed messages in 4.9's fixture: one each. */
const DELAYED_LEVELS = [3, 18];

/**
 * Says in a copy of a fixture that its delayed messages have been delivered: they have long been due, and would be put when it is
 * opened.
 */
export function passDelayedMessages(root: string): void {
  const paths = storePaths(root);
  mkdirSync(paths.config, { recursive: true });
  writeFileSync(paths.delayOffset, JSON.stringify({ offsetTable: Object.fromEntries(DELAYED_LEVELS.map((level) => [level, 1])) }));
}

const PUT_PATTERN = /^(\S+) -> (\S+)(?: off=(\d+) bytes=(\d+) cq=(\d+) num=(\d+) id=(\S+))?$/;

export const FIXTURES_DIRECTORY = join(projectRoot(), "test", "fixtures");

function readPuts(name: string): FixturePut[] {
  const puts: FixturePut[] = [];
  for (const line of readFileSync(join(FIXTURES_DIRECTORY, `${name}.out`), "utf8").split("\n")) {
    const match = PUT_PATTERN.exec(line);
    if (match === null) continue;
    const [, put = "", status = "", offset, bytes, queueOffset, , ids = ""] = match;
    const append = { offset: Number(offset), bytes: Number(bytes), queueOffset: Number(queueOffset), msgIds: ids.split(",") };
    puts.push(offset === undefined ? { name: put, status } : { name: put, status, append });
  }
  return puts;
}

function readStore(name: string, version: "4.9" | "5.3", appendPropertyCrc: boolean): FixtureStore {
  const paths = storePaths(join(FIXTURES_DIRECTORY, name));
  const segments = readdirSync(paths.commitLog)
    .sort()
    .map((file) => ({ offset: parseSegmentFileName(file) ?? -1, bytes: readFileSync(join(paths.commitLog, file)) }));
  return { name, version, appendPropertyCrc, paths, segments, puts: readPuts(name) };
}

export const FIXTURE_STORES: FixtureStore[] = [
  readStore("rocketmq-4.9.8", "4.9", false),
  readStore("rocketmq-5.3.3", "5.3", false),
  readStore("rocketmq-5.3.3-property-crc", "5.3", true),
];
