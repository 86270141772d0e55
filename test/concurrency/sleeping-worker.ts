/** Waits for a counter in a thread of its own, and tells how long. */
import { parentPort, workerData } from "node:worker_threads";
import { ControlBlock, type ControlBlockBuffer, WaitStrategy } from "@millrace/shared-memory";

const { buffer } = workerData as { buffer: ControlBlockBuffer };
const { queueSlots } = ControlBlock.attach(buffer, "append").counters;
const seen = queueSlots.get();
parentPort?.postMessage("ready");
const began = performance.now();
new WaitStrategy(20).wait(queueSlots, seen, 10_000);
parentPort?.postMessage(performance.now() - began);
