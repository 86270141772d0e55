/** The consumer's thread of the ring's tests, and what both threads know of a record. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { ControlBlock, type ControlBlockBuffer, type PutRingBuffers, PutRingConsumer } from "@millrace/shared-memory";

export interface RingWorkerData {
  readonly control: ControlBlockBuffer;
  readonly buffers: PutRingBuffers;
  readonly start: number;
  readonly records: number;
}

export interface ConsumerReport {
  readonly records: number;
  readonly wrong: number;
}

export function fillRecord(bytes: Uint8Array, position: number, length: number, n: number): void {
  for (let i = 0; i < length; i++) bytes[position + i] = (n * 31 + i * 7) & 0xff;
}

function isRecord(bytes: Uint8Array, position: number, length: number, n: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[position + i] !== ((n * 31 + i * 7) & 0xff)) return false;
  return true;
}

/** Group by group, as the appender does. */
function consume({ control, buffers, start, records }: RingWorkerData): ConsumerReport {
  const { putBell } = ControlBlock.attach(control, "append");
  const ring = new PutRingConsumer(buffers);
  let wrong = 0;
  while (ring.head < start + records) {
    const end = Math.min(ring.tail, ring.head + 13);
    if (end === ring.head) {
      putBell.sleep(() => ring.tail !== ring.head, 10);
      continue;
    }
    for (let sequence = ring.head; sequence < end; sequence++) {
      const slot = ring.slotOf(sequence);
      const n = sequence - start;
      const length = ring.recordLength(slot);
      const framed =
        ring.messages(slot) === 1 + (n % 5) &&
        ring.queueSlot(slot) === n % 7 &&
        ring.bodyOffset(slot) === 11 &&
        ring.flags(slot) === n % 4;
      if (!framed || !isRecord(ring.bytes, ring.position(slot), length, n)) wrong++;
      ring.answer(slot, 0, 2 ** 40 + n, n, length);
    }
    ring.release(end);
  }
  return { records: ring.head - start, wrong };
}

if (!isMainThread) parentPort?.postMessage(consume(workerData as RingWorkerData));
