import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { memoryDirectory } from "../support/temporary-directory.js";

/** It is ended then: nothing of it stays. */
const LIMIT_MS = 110_000;

/** A program of this directory, with so many descriptors. */
async function printedBy(program: string, descriptors: number, directory: string): Promise<string> {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const limited = ["-c", `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath, path, directory];
  const { stdout } = await promisify(execFile)("/bin/sh", limited, { timeout: LIMIT_MS, killSignal: "SIGKILL" });
  return stdout;
}

test("with 1,024 descriptors and 2,000 queues everything works, and a time without any descriptor passes", async (t) => {
  t.timeout(LIMIT_MS + 10_000);
  const printed = await printedBy("few-descriptors-process.js", 1024, memoryDirectory(t));
  t.deepEqual(JSON.parse(printed), { first: { PUT_OK: 4000 }, free: 500, last: { PUT_OK: 2000 }, empty: 0, state: "running" });
});

test("a snapshot for whose thread there is no descriptor is refused with a code, and the store goes on", async (t) => {
  t.timeout(LIMIT_MS + 10_000);
  const outcomes: string[] = JSON.parse(await printedBy("snapshot-without-descriptors-process.js", 200, memoryDirectory(t)));
  t.is(outcomes.at(-1), "taken");
  t.true(outcomes.includes("ERR_WORKER_DIED"), outcomes.join());
  t.deepEqual(
    outcomes.filter((outcome) => !["taken", "ERR_WORKER_DIED", "ERR_COPY_FAILED"].includes(outcome)),
    [],
  );
});
