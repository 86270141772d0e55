import { MillraceError, type StorePaths } from "@millrace/format";
import { isNoSpace, isOutOfDescriptors, type Storage } from "@millrace/mapped-file";
import type { ControlBlock, Role } from "@millrace/shared-memory";
import { leaveFence } from "./fence-places.js";

/** A thread's name, and the alarm. */
type Control = Pick<ControlBlock<Role>, "role" | "forceAlarm">;

/**
 * Forces whose failure is final: the kernel tells each descriptor of it once and calls the pages clean, so nobody may try again and
 * believe the answer. All threads of the store hear of it before anything is written about it: from then on no thread believes a
 * force of its own either, and main answers the puts that wait. One object per thread.
 */
export class FencingForce {
  readonly #storage: Storage;
  readonly #paths: StorePaths;
  readonly #control: Control;

  constructor(storage: Storage, paths: StorePaths, control: Control) {
    this.#storage = storage;
    this.#paths = paths;
    this.#control = control;
  }

  /**
   * Forces bytes of the log: on return they may be called durable.
   *
   * @param durable the offset below which everything was durable before
   * @throws MillraceError `ERR_FORCE_FAILED`; the system's own error where no file could be opened
   */
  run(durable: number, force: () => void): void {
    try {
      force();
    } catch (cause) {
      throw hasForcedNothing(cause) ? cause : this.#failed(durable, cause);
    }
    this.check();
  }

  /**
   * Makes names of the log's directory durable.
   *
   * @throws MillraceError `ERR_FORCE_FAILED`; the system's own error where a directory could not be opened, or there was no space
   */
  syncDirectory(durable: number, directory: string): void {
    try {
      this.#storage.syncDirectory(directory);
    } catch (cause) {
      throw isFailedSync(cause) ? this.#failed(durable, cause) : cause;
    }
    this.check();
  }

  /** Before anything is called durable. @throws MillraceError `ERR_FORCE_FAILED`: a force has failed, here or in another thread */
  check(): void {
    const { forceAlarm } = this.#control;
    if (forceAlarm.isRaised) throw failure(`a force failed before: ${forceAlarm.cause.reason}`, undefined);
  }

  /** The alarm first, then the marker: the disk may take its time, or refuse. Who has raised the alarm writes the marker, nobody else. */
  #failed(durable: number, cause: unknown): MillraceError {
    const isFirst = this.#control.forceAlarm.raise(this.#control.role, String(cause));
    if (isFirst) leaveFence(this.#storage, this.#paths, durable, cause);
    return failure(`a force failed: ${String(cause)} durableOffset=${durable}`, cause);
  }
}

function failure(message: string, cause: unknown): MillraceError {
  return new MillraceError("ERR_FORCE_FAILED", message, { outcome: "unknown", ...(cause === undefined ? {} : { cause }) });
}

/** Whether a directory's sync that ended so is final. It is not where it did not begin, nor for want of space. */
export function isFailedSync(cause: unknown): boolean {
  return !hasForcedNothing(cause) && !isNoSpace(cause);
}

/** Where a file could not be opened, nothing was forced and nothing lost. */
function hasForcedNothing(cause: unknown): boolean {
  return isOutOfDescriptors(cause) || (cause as NodeJS.ErrnoException).syscall === "open";
}
