import { once } from "node:events";
import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { ProcessCpu } from "#scripts/bench/measurements/process-cpu.js";
import { KIB, numbered, openStore } from "../../support/temporary-store.js";
import { testIf } from "../../support/test-if.js";
import { until } from "../../support/until.js";

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

testIf(existsSync("/proc/self/schedstat"), "the kernel has no schedstat")(
  "the store's threads have the names of its services",
  async (t) => {
    const cpu = new ProcessCpu();
    const store = await openStore(t, { mappedFileSizeCommitLog: 1024 * KIB });
    cpu.start();
    await store.putAll(Array.from({ length: 5000 }, (_, n) => numbered(n)));
    await store.flush();
    await until(() => store.dispatchBehindBytes === 0);
    const { threadNs } = cpu.used;
    for (const name of ["append", "flush", "dispatch", "allocate"]) t.true(name in threadNs, JSON.stringify(threadNs));
    // Neither can be taken for another: they do the work of 5000 messages, the flusher that of one force.
    t.true((threadNs.append ?? 0) > (threadNs.flush ?? 0), JSON.stringify(threadNs));
    t.true((threadNs.dispatch ?? 0) > (threadNs.flush ?? 0), JSON.stringify(threadNs));
  },
);
