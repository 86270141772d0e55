import { once } from "node:events";
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { ProcessCpu } from "#scripts/bench/measurements/process-cpu.js";
import { testIf } from "../../support/test-if.js";

const BUSY_NS = 50e6;
/** Works until it has used that much CPU, each time it is asked to. */
const BUSY = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", () => {
    for (const end = performance.now() + ${BUSY_NS / 1e6}; performance.now() < end; );
    parentPort.postMessage("done");
  });`;

testIf(existsSync("/proc/self/schedstat"), "the kernel has no schedstat")(
  "CPU is counted by thread, under the name of the worker's file, and for the process as a whole",
  async (t) => {
    const cpu = new ProcessCpu();
    const worker = new Worker(BUSY, { eval: true });
    const ask = async (): Promise<void> => {
      worker.postMessage({ filename: "file:///somewhere/busy-loop-worker.js" });
      await once(worker, "message");
    };
    await ask();
    cpu.start();
    await ask();
    const { processNs, threadNs } = cpu.used;
    await worker.terminate();
    const busy = threadNs["busy-loop"] ?? 0;
    t.true(busy > 0, JSON.stringify(threadNs));
    t.true("main" in threadNs && "helpers" in threadNs, JSON.stringify(threadNs));
    t.true(processNs > 0.5 * busy, `${processNs} ${busy}`);
  },
);
