/** Waits for a counter in a thread of its own, and tells how long. */
import { parentPort, workerData } from "node:worker_threads";
import { ControlBlock, type ControlBlockBuffer, WaitStrategy } from "@millrace/shared-memory";

const { buffer } = workerData as { buffer: ControlBlockBuffer };
const { putRingTail } = ControlBlock.attach(buffer, "append").counters;
const seen = putRingTail.get();
parentPort?.postMessage("ready");
const began = performance.now();
new WaitStrategy(20).wait(putRingTail, seen, 10_000);
parentPort?.postMessage(performance.now() - began);
