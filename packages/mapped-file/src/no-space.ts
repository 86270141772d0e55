const NO_SPACE = new Set<unknown>(["ENOSPC", "EDQUOT"]);

/** Whether a call failed because the disk is full, or this user's part of it: what was there is as it was, and later it may succeed. */
export function isNoSpace(error: unknown): boolean {
  return NO_SPACE.has((error as NodeJS.ErrnoException | undefined)?.code);
}
