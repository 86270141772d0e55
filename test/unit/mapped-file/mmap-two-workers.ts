/** A process that maps the file `argv[2]`, runs two workers one after the other that map it too, terminates both, and ends by itself. */
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { Worker } from "node:worker_threads";
import mmap from "@millrace/mmap-io";
import type { MmapWorkerData, MmapWorkerReport } from "./mmap-worker.js";

const path = process.argv[2] ?? "";
const fd = openSync(path, "r+");
const mapped = mmap.map(mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_SHARED, fd);
closeSync(fd);
const lines: (MmapWorkerReport & { mainSees: number | undefined })[] = [];
for (const byte of [11, 22]) {
  const data: MmapWorkerData = { path, byte };
  const worker = new Worker(new URL("./mmap-worker.js", import.meta.url), { workerData: data });
  const [report] = (await once(worker, "message")) as [MmapWorkerReport];
  await worker.terminate();
  lines.push({ ...report, mainSees: mapped[0] });
}
process.stdout.write(JSON.stringify(lines));
