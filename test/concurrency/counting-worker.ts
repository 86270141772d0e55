/** The other thread of the counter's tests. */
import { parentPort, workerData } from "node:worker_threads";
import { ControlBlock, type ControlBlockBuffer } from "@millrace/shared-memory";

/** Every second crossing changes the high word, every one the sign of the low word. */
export const STEP = 2 ** 31;
export const CROSSINGS = 400_000;
export const STEPS_AROUND = 8;

/** Counts slowly across each multiple of {@link STEP}, and jumps to the next. */
function count(buffer: ControlBlockBuffer): void {
  const { wroteOffset, queueSlots } = ControlBlock.attach(buffer, "append").counters;
  queueSlots.wait(0, 10_000); // the reader is ready
  for (let crossing = 1; crossing <= CROSSINGS; crossing++) {
    for (let step = -STEPS_AROUND; step <= STEPS_AROUND; step++) wroteOffset.set(crossing * STEP + step);
  }
}

function claim(buffer: ControlBlockBuffer): void {
  try {
    ControlBlock.attach(buffer, "append");
    parentPort?.postMessage("claimed");
  } catch (error) {
    parentPort?.postMessage((error as Error).message);
  }
}

if (parentPort !== null && workerData !== null) {
  const { buffer, act } = workerData as { buffer: ControlBlockBuffer; act: string };
  if (act === "count") count(buffer);
  else claim(buffer);
}
