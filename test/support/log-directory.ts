import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import type { ExecutionContext } from "ava";
import type { CommitLogRecovery, RecoverOptions } from "#store/recover/log/commit-log-recovery.js";
import { recoverCommitLog } from "#store/recover/log/commit-log-recovery.js";

/** Of the segments in these tests. */
export const SIZE = 4096;

export function segmentPath(directory: string, index: number): string {
  return join(directory, segmentFileName(index * SIZE));
}

export function zerosFrom(t: ExecutionContext, path: string, position: number): void {
  t.true(
    readFileSync(path)
      .subarray(position)
      .every((byte) => byte === 0),
  );
}

/** After a crash, without a watermark, in this thread, unless told otherwise. */
export function recover(commitLogDirectory: string, options: Partial<RecoverOptions> = {}): Promise<CommitLogRecovery> {
  return recoverCommitLog({
    storage: { kind: "real" },
    commitLogDirectory,
    mappedFileSizeCommitLog: SIZE,
    lastExitOk: false,
    checkCRCOnRecover: true,
    flushedWatermark: 0,
    ...options,
  });
}

/** Names, contents and change times of a directory's files: equal when nothing touched them. */
export function fingerprint(directory: string): string[] {
  return readdirSync(directory).map((name) => {
    const path = join(directory, name);
    const hash = createHash("sha1").update(readFileSync(path)).digest("hex");
    return `${name} ${hash} ${statSync(path, { bigint: true }).mtimeNs}`;
  });
}
