import type { TaskFailure, TaskRunner } from "#store/recover/scan/recovery-task-pool.js";

/** A task that says that it runs, and waits until it may end. */
export interface HeldTask {
  /** See {@link HeldWord}. */
  readonly words: Int32Array;
}

export const HeldWord = { begun: 0, mayEnd: 1, ended: 2 } as const;

export const HELD_TASKS: TaskRunner<HeldTask, { readonly kind: "done" }> = {
  url: new URL(import.meta.url),
  runHere: runHeldTask,
  pathOf: () => "held",
};

/** For a task that may end at once: 1. */
export function heldTask(mayEnd: 0 | 1): HeldTask {
  const words = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  words[HeldWord.mayEnd] = mayEnd;
  return { words };
}

export default function runHeldTask({ words }: HeldTask): { readonly kind: "done" } | TaskFailure {
  Atomics.store(words, HeldWord.begun, 1);
  Atomics.wait(words, HeldWord.mayEnd, 0);
  Atomics.store(words, HeldWord.ended, 1);
  return { kind: "done" };
}
