/** Public names of `@millrace/mapped-file`: how bytes reach files. */
export { createStorage } from "./create-storage.js";
export { createFile } from "./created-file.js";
export { DirectSocket } from "./direct-socket.js";
export { DirectoryWatch } from "./directory-watch.js";
export { syncInherited } from "./inherited-names.js";
export { LockFile } from "./lock-file.js";
export { MappedFile } from "./mapped-file.js";
export { MappedFileQueue } from "./mapped-file-queue.js";
export { isNoSpace } from "./no-space.js";
export { openFileLimit } from "./open-file-limit.js";
export { openIfThere } from "./open-if-there.js";
export { isOutOfDescriptors } from "./out-of-descriptors.js";
export { PAGE_LENGTH } from "./page.js";
export { DEFAULT_FILE_MODE } from "./regular-file.js";
export { rewrite } from "./rewrite.js";
export { SegmentDirectory } from "./segment-directory.js";
export { copyBytes, separateFile } from "./separate-file.js";
export { SMALL_FILE_LIMIT } from "./small-file.js";
export type {
  DiskUsage,
  Fault,
  FaultOperation,
  FileAccess,
  MapAccess,
  Mapping,
  Storage,
  StorageEntry,
  StorageFile,
  StorageSpec,
  WriteBackFailure,
  WriteBackSpec,
} from "./storage.js";
export { fillHoles, isZero, LARGE_ZERO_BLOCK, SMALL_ZERO_BLOCK, writeZeros, zeroData } from "./zero-fill.js";
