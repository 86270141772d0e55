import { configCopyPath, type StorePaths } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";
import { ConsumerOffsets } from "../broker/consumer-offsets.js";
import { DelayOffsets } from "../broker/delay/delay-offsets.js";
import type { UnreadableFile } from "../copy/salvage.js";
import { backupPath } from "../marks/config-file.js";

/** Nothing is saved here. */
const NEVER = 0x7fffffff;

/**
 * Of a directory that was salvaged: offsets of which neither file nor copy nor backup can be understood would keep it from being opened, so
 * they are removed, durably, and the groups or levels begin without.
 */
export function leaveOutUnreadableOffsets(storage: Storage, paths: StorePaths): UnreadableFile[] {
  const files: [string, (path: string) => unknown][] = [
    [paths.consumerOffset, (path) => ConsumerOffsets.open(storage, path, NEVER)],
    [paths.delayOffset, (path) => DelayOffsets.open(storage, path)],
  ];
  const leftOut = files.flatMap(([path, open]) => {
    try {
      open(path);
      return [];
    } catch (error) {
      for (const each of [path, backupPath(path), configCopyPath(path)]) storage.remove(each);
      return [{ path, reason: (error as Error).message }];
    }
  });
  if (leftOut.length > 0) storage.syncDirectory(paths.config);
  return leftOut;
}
