import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { MessageStore } from "@millrace/store";
import { PATIENCE } from "../support/patience.js";
import { dispatchedAll } from "../support/until.js";

/** Runs with `ulimit -n` in force: argv is a directory. Prints what became of a snapshot for each number of free descriptors. */
const MOST_FREE = 12;
const [, , directory = ""] = process.argv;
const store = await MessageStore.open({
  ...PATIENCE,
  storePathRootDir: join(directory, "store"),
  mappedFileSizeCommitLog: 64 * 1024,
  messageIndexEnable: false,
});
await store.putMessage({ topic: "TopicA", queueId: 0, body: Buffer.alloc(10) });
await dispatchedAll(store);
const found: string[] = [];
for (let free = 0; free <= MOST_FREE; free++) {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    // EMFILE is what it is about.
  }
  for (const fd of taken.splice(0, free)) closeSync(fd);
  const target = join(directory, `snapshot${free}`);
  const outcome = await store.snapshot(target).then(
    () => "taken",
    ({ code }) => String(code),
  );
  for (const fd of taken) closeSync(fd);
  found.push(existsSync(target) === (outcome === "taken") ? outcome : `wrong: ${outcome}`);
}
await store.close();
process.stdout.write(JSON.stringify(found));
