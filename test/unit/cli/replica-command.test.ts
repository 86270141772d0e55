import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "ava";
import { bundledStore } from "../../support/bundled-store.js";
import { projectRoot } from "../../support/project-root.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { numbered, openStore, SEGMENT_SIZE } from "../../support/temporary-store.js";

const MAIN = join(projectRoot(), "packages", "cli", "dist", "main.js");

test("replica makes a slave, says how far it is, and ends well when it is interrupted", async (t) => {
  const master = await openStore(t, { haListenPort: 0 });
  const put = (from: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 100 }, (_, i) => master.putMessage(numbered(from + i, 1000))));
  await put(0);
  const directory = join(temporaryDirectory(t), "copy");
  const of = `127.0.0.1:${master.stats().ha?.listen?.port}`;
  const args = ["replica", directory, "--of", of, "--mappedFileSizeCommitLog", String(SEGMENT_SIZE), "--json"];
  const child = spawn(process.execPath, [...bundledStore(), MAIN, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => child.kill("SIGKILL"));
  let isSecond = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const { state, maxOffset } = JSON.parse(line) as { state: string; maxOffset: number };
    if (state !== "following" || maxOffset !== master.maxPhysicalOffset) continue;
    if (isSecond) break;
    isSecond = true;
    await put(100);
  }
  child.kill("SIGINT");
  t.deepEqual(await once(child, "close"), [0, null]);
  const { storePathCommitLog } = master.config;
  for (const name of readdirSync(join(directory, "commitlog"))) {
    const bytes = readFileSync(join(directory, "commitlog", name));
    t.true(readFileSync(join(storePathCommitLog, name)).equals(bytes), name);
  }
});
