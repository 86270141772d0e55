const CODES = new Set(["EMFILE", "ENFILE"]);

/** The process has no descriptor left to open a file with, or the system has none: nothing was read, written or forced, and it passes. */
export function isOutOfDescriptors(error: unknown): boolean {
  return CODES.has((error as NodeJS.ErrnoException).code ?? "");
}
