import type { Storage } from "@millrace/mapped-file";
import { readCheckedFile, writeCheckedFile } from "./checked-file.js";
import { CONSUME_QUEUE_CHECKSUMS_MAGIC } from "./checked-file-descriptor.js";

const KIND = { magic: CONSUME_QUEUE_CHECKSUMS_MAGIC, version: 1 };

/** Of the beginning of a file, up to what was durable when it was noted: all of it when the file is full. Plain data. */
export interface FileChecksum {
  /** First unit of the file. */
  readonly fileStart: number;
  /** In units. */
  readonly count: number;
  readonly crc: number;
}

/** Queue (`topic/queueId`) → its files. A file that is missing has not been noted. */
export type ConsumeQueueChecksums = Map<string, FileChecksum[]>;

/** Empty when the file is missing or damaged: then nothing is known of the ConsumeQueues but what the log says. */
export function readConsumeQueueChecksums(storage: Storage, path: string): ConsumeQueueChecksums {
  const found = readCheckedFile(storage, path, KIND);
  if (found.state !== "good") return new Map();
  const queues = JSON.parse(new TextDecoder().decode(found.payload)) as [string, [number, number, number][]][];
  return new Map(queues.map(([queue, files]) => [queue, files.map(([fileStart, count, crc]) => ({ fileStart, count, crc }))]));
}

/** Only after the forces that make it true. Atomic, and durable on return. */
export function writeConsumeQueueChecksums(storage: Storage, path: string, checksums: ConsumeQueueChecksums): void {
  const queues = [...checksums].map(([queue, files]) => [queue, files.map(({ fileStart, count, crc }) => [fileStart, count, crc])]);
  writeCheckedFile(storage, path, KIND, new TextEncoder().encode(JSON.stringify(queues)));
}

/** @param directory of the queue */
export function checksumKey(directory: string): string {
  return directory.split("/").slice(-2).join("/");
}
