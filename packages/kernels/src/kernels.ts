import { crc32 } from "node:zlib";
import { KERNELS } from "./kernel-binary.js";
import { type SharedMemoryObject, WebAssembly } from "./web-assembly.js";

/** What they do is said where they are: `assembly/append.ts`, `assembly/encode.ts`. Addresses are positions in the shared memory. */
export interface Kernels {
  append(
    frames: number,
    results: number,
    mask: number,
    first: number,
    count: number,
    ring: number,
    queueOffsets: number,
    putMessages: number,
    putBytes: number,
    target: number,
    targetLength: number,
    room: number,
    groupBytes: number,
    offset: number,
    storeTimestamp: number,
    sealsProperties: boolean,
    hints: number,
    hintMask: number,
    firstHint: number,
    hintRoom: number,
  ): number;
  encode(
    template: number,
    bodyOffset: number,
    topicLength: number,
    at: number,
    length: number,
    bodyLength: number,
    properties: number,
    propertiesLength: number,
    storedProperties: number,
    queueId: number,
    flag: number,
    sysFlag: number,
    bornTimestamp: number,
    reconsumeTimes: number,
    preparedTransactionOffset: number,
  ): void;
  /** Signed 32 bits. */
  crc32(at: number, length: number, seed: number): number;
}

let compiled: object | undefined;

/** The kernels at work in `memory`; one instance for each thread. */
export function loadKernels(memory: SharedMemoryObject): Kernels {
  compiled ??= new WebAssembly.Module(Buffer.from(KERNELS, "base64"));
  const longBodyCrc = (at: number, length: number): number => crc32(new Uint8Array(memory.buffer, at >>> 0, length));
  const instance = new WebAssembly.Instance(compiled, { env: { memory }, append: { longBodyCrc } });
  const kernels = instance.exports as Kernels & { buildTables(): void };
  kernels.buildTables();
  return kernels;
}
