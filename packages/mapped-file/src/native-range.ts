import { nativeBinding } from "./native-binding.js";

/** What the system says where the file system, or the system itself, has no such call. */
const NOT_HERE = new Set(["EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EINVAL"]);

/** fallocate. False: not on this file system. */
export function allocateRange(fd: number, position: number, length: number): boolean {
  try {
    nativeBinding().allocate(fd, position, length);
    return true;
  } catch (error) {
    if (isNotHere(error)) return false;
    throw error;
  }
}

/** SEEK_DATA; undefined: nothing but a hole follows. Where holes are not known, all is data. */
export function nextData(fd: number, position: number): number | undefined {
  try {
    return nativeBinding().seekData(fd, position);
  } catch (error) {
    if (isNotHere(error)) return position;
    throw error;
  }
}

/** SEEK_HOLE; undefined: none. */
export function nextHole(fd: number, position: number): number | undefined {
  try {
    return nativeBinding().seekHole(fd, position);
  } catch (error) {
    if (isNotHere(error)) return undefined;
    throw error;
  }
}

function isNotHere(error: unknown): boolean {
  return NOT_HERE.has((error as NodeJS.ErrnoException).code ?? "");
}
