import { spawnSync } from "node:child_process";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { testIf } from "../support/test-if.js";

const NICE = 10;
/** Opens a store, and says which priorities its threads have: field 19 of each one's `stat`. */
const PROGRAM = `
  import { readdirSync, readFileSync } from "node:fs";
  const { MessageStore } = await import(process.argv[1]);
  const store = await MessageStore.open({ storePathRootDir: process.argv[2] });
  const stats = readdirSync("/proc/self/task").map((task) => readFileSync("/proc/self/task/" + task + "/stat", "utf8"));
  console.log(JSON.stringify(stats.map((stat) => Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]))));
  await store.close();`;

const onLinux = testIf(process.platform === "linux", "threads have priorities of their own on Linux only");
onLinux("a process of low priority opens a store, and none of its threads takes a better one", (t) => {
  const store = import.meta.resolve("@millrace/store");
  const args = ["-n", String(NICE), process.execPath, "--input-type=module", "-e", PROGRAM, store, temporaryDirectory(t)];
  const { stdout, stderr } = spawnSync("nice", args, { encoding: "utf8" });
  const priorities = JSON.parse(stdout || "[]") as number[];
  t.true(priorities.length > 5, stderr);
  t.true(Math.min(...priorities) >= NICE, priorities.join(" "));
  t.true(Math.max(...priorities) > NICE, "the allocator yields to the others");
});
