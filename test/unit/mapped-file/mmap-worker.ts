/**
 * A worker that maps the file `workerData.path` twice, writes `workerData.byte` at its start, unmaps one mapping, says what it saw, and
 * stays with the other mapping until it is terminated.
 */
import { closeSync, openSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import mmap from "@millrace/mmap-io";

export interface MmapWorkerData {
  path: string;
  byte: number;
}

export interface MmapWorkerReport {
  seen: number;
  unmapped: boolean;
  lengthAfterUnmap: number;
}

const { path, byte } = workerData as MmapWorkerData;
const fd = openSync(path, "r+");
const writer = mmap.map(mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, fd);
const reader = mmap.map(mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_SHARED, fd);
closeSync(fd);
writer[0] = byte;
const seen = reader[0] ?? -1;
const report: MmapWorkerReport = { seen, unmapped: mmap.unmap(reader), lengthAfterUnmap: reader.length };
parentPort?.postMessage(report);
parentPort?.on("message", () => writer.fill(0));
