export { KernelMemory } from "./kernel-memory.js";
export {
  APPENDED_BYTES_ADDRESS,
  APPENDED_FLAGS_ALL_ADDRESS,
  APPENDED_FLAGS_ANY_ADDRESS,
  APPENDED_HINTS_ADDRESS,
  APPENDED_MESSAGES_ADDRESS,
  LONG_BODY,
} from "./kernel-memory-descriptor.js";
export { type Kernels, loadKernels } from "./kernels.js";
export type { SharedMemoryObject } from "./web-assembly.js";
