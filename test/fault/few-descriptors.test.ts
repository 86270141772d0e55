import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { memoryDirectory } from "../support/temporary-directory.js";

const PROCESS = fileURLToPath(new URL("few-descriptors-process.js", import.meta.url));
/** It is ended then: nothing of it stays. */
const LIMIT_MS = 110_000;

test("with 1,024 descriptors and 2,000 queues everything works, and a time without any descriptor passes", async (t) => {
  t.timeout(LIMIT_MS + 10_000);
  const limited = ["-c", 'ulimit -n 1024 && exec "$0" "$@"', process.execPath, PROCESS, memoryDirectory(t)];
  const { stdout } = await promisify(execFile)("/bin/sh", limited, { timeout: LIMIT_MS, killSignal: "SIGKILL" });
  t.deepEqual(JSON.parse(stdout), { first: { PUT_OK: 4000 }, free: 500, last: { PUT_OK: 2000 }, empty: 0, state: "running" });
});
