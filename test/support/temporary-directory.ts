import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";

const MEMORY = "/dev/shm";

/** An empty directory that goes with the test. */
export function temporaryDirectory(t: ExecutionContext): string {
  return directoryBelow(t, tmpdir());
}

/** {@link temporaryDirectory} in memory, where the system has such: for tests that make much durable and ask nothing of the disk. */
export function memoryDirectory(t: ExecutionContext): string {
  return directoryBelow(t, existsSync(MEMORY) ? MEMORY : tmpdir());
}

function directoryBelow(t: ExecutionContext, parent: string): string {
  const directory = mkdtempSync(join(parent, "millrace-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
