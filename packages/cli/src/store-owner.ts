import type { DirectoryStats } from "@millrace/store";

/** By whom the store is open; `not closed cleanly`: by nobody, and the next opening recovers as after a crash. */
export type StoreState = "closed" | "open" | "not closed cleanly" | "killed" | "open or killed";

/**
 * The lock says whether the store is open. Where the system cannot say it, the process that the `abort` file names is looked for; a
 * broker of RocketMQ 4.9 leaves no name there.
 */
export function stateOf({ isOpen, abort, fence }: Pick<DirectoryStats, "isOpen" | "abort" | "fence">): StoreState {
  if (isOpen === true) return "open";
  if (abort === undefined) return "closed";
  const isThere = abort.processId === undefined ? undefined : isAlive(abort.processId);
  // Of a fenced store the file stays at its close, too.
  if (isOpen === false) return isThere === false && fence === undefined ? "killed" : "not closed cleanly";
  if (isThere === undefined) return "open or killed";
  return isThere ? "open" : "killed";
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
}
