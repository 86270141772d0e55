import { once } from "node:events";
import { closeSync, createWriteStream, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { createStorage } from "@millrace/mapped-file";
import type { SeedJob, SeedResult } from "./job.js";

const LINE = Buffer.from("hello world");
const FILL = Buffer.alloc(64 * 1024);

/** The seeds' figure: a line of 11 bytes appended again and again, through a mapping, a file stream, or a system call each. */
export async function measureSeedLines(job: SeedJob): Promise<SeedResult> {
  const path = join(job.directory, "lines");
  const length = job.lines * LINE.length;
  switch (job.way) {
    case "mapping":
      return { seconds: throughMapping(path, job.lines, length) };
    case "stream":
      return { seconds: await throughStream(path, job.lines) };
    case "writeSync":
      return { seconds: throughWriteSync(path, job.lines) };
  }
}

/** The file is filled and its pages are touched before, as segments are that the allocator has made ready. */
function throughMapping(path: string, lines: number, length: number): number {
  const file = createStorage({ kind: "real" }).open(path, "create");
  for (let position = 0; position < length; position += FILL.length) file.write(FILL, position);
  const mapping = file.map("write");
  const { bytes } = mapping;
  for (let position = 0; position < length; position += 4096) bytes[position] = 0;
  const start = performance.now();
  let position = 0;
  for (let line = 0; line < lines; line++) {
    bytes.set(LINE, position);
    position += LINE.length;
  }
  const seconds = (performance.now() - start) / 1000;
  mapping.unmap();
  file.close();
  return seconds;
}

async function throughStream(path: string, lines: number): Promise<number> {
  const stream = createWriteStream(path);
  const start = performance.now();
  for (let line = 0; line < lines; line++) {
    if (!stream.write(LINE)) await once(stream, "drain");
  }
  stream.end();
  await finished(stream);
  return (performance.now() - start) / 1000;
}

function throughWriteSync(path: string, lines: number): number {
  const fd = openSync(path, "w");
  const start = performance.now();
  for (let line = 0; line < lines; line++) writeSync(fd, LINE);
  const seconds = (performance.now() - start) / 1000;
  closeSync(fd);
  return seconds;
}
