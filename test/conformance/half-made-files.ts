import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import type { ProgramOptions } from "./protocol.js";

/**
 * RocketMQ gives a file its length after its name, and refuses to load one that was killed in between: an operator removes it.
 *
 * @returns the files that were removed
 */
export function removeHalfMadeFiles(directory: string, options: ProgramOptions): string[] {
  const { commitLog, consumeQueue } = storePaths(directory);
  const removed: string[] = [];
  for (const [path, length] of [
    [commitLog, options.mappedFileSizeCommitLog],
    [consumeQueue, options.mappedFileSizeConsumeQueue],
  ] as const) {
    if (!existsSync(path)) continue;
    for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (!entry.isFile() || statSync(file).size === length) continue;
      rmSync(file);
      removed.push(file);
    }
  }
  return removed;
}
