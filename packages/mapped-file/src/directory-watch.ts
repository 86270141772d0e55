import { type FSWatcher, watch } from "node:fs";

/**
 * Says that something in a directory may have changed: a file written to with a call, made, renamed, removed. A store through a mapping
 * goes unnoticed, and the system may have no watch to give: whoever needs to know looks besides. Does not keep the process alive.
 */
export class DirectoryWatch {
  readonly #watcher: FSWatcher;

  private constructor(watcher: FSWatcher) {
    this.#watcher = watcher;
  }

  /**
   * Undefined where the directory cannot be watched: it is gone, or the system has no watch left.
   *
   * @param onEnd notified when the system ends the watch; it is closed then
   */
  static begin(directory: string, onChange: () => void, onEnd: () => void): DirectoryWatch | undefined {
    try {
      const watcher = watch(directory, { persistent: false }, onChange);
      watcher.on("error", () => {
        watcher.close();
        onEnd();
      });
      return new DirectoryWatch(watcher);
    } catch {
      return undefined;
    }
  }

  /** May be called again. */
  close(): void {
    this.#watcher.close();
  }
}
