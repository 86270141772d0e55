import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import { MillraceError } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { millraceProgram } from "#cli/program.js";
import { recoveredStoreOptions, replicaOptions } from "#cli/store-directory.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { SEGMENT_SIZE } from "../../support/temporary-store.js";

const NOBODY = "127.0.0.1:1";
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Why it was refused, in this process: nothing has been begun then that would have to be ended. */
async function refused(t: ExecutionContext, args: readonly string[]): Promise<{ code: string; message: string }> {
  const before = SIGNALS.map((signal) => process.listeners(signal));
  try {
    const error = await t.throwsAsync(millraceProgram().parseAsync(args, { from: "user" }), undefined, args.join(" "));
    return { code: error instanceof MillraceError ? error.code : (error?.name ?? ""), message: error?.message ?? "" };
  } finally {
    for (const [n, signal] of SIGNALS.entries())
      for (const listener of process.listeners(signal)) if (!before[n]?.includes(listener)) process.off(signal, listener);
  }
}

/** Side by side: a store's `root` and its `log`, which lies beside it; a directory that is `empty`; two that hold something `other`. */
function directories(t: ExecutionContext): string {
  const parent = temporaryDirectory(t);
  for (const name of ["empty", "other", "notes"]) mkdirSync(join(parent, name));
  mkdirSync(join(parent, "other", "config"));
  writeFileSync(join(parent, "other", "config", "settings.json"), "{}");
  for (const name of ["other", "notes"]) writeFileSync(join(parent, name, "letter.txt"), "not a store's");
  for (const name of ["root", "root/config", "root/consumequeue", "log"]) mkdirSync(join(parent, name));
  for (const name of ["root/lock", "root/millrace.watermark"]) writeFileSync(join(parent, name), "");
  writeFileSync(join(parent, "log", segmentFileName(0)), Buffer.alloc(SEGMENT_SIZE));
  return parent;
}

function namesIn(parent: string): string[] {
  return readdirSync(parent, { recursive: true, encoding: "utf8" }).sort();
}

/** Those that change a store. */
function changing(root: string, target: string): Record<string, string[]> {
  return {
    recover: ["recover", root],
    truncate: ["recover", root, "--truncate-to", "0"],
    salvage: ["salvage", root, target],
    snapshot: ["snapshot", root, target],
    unfence: ["unfence", root],
    replica: ["replica", root, "--of", NOBODY],
    reset: ["offsets", "reset", root, "group", "TopicA", "--to", "earliest"],
    delete: ["offsets", "delete", root, "group"],
    put: ["put", root, "TopicA"],
  };
}

for (const [root, log, excepted] of [
  ["missing", undefined, ["replica"]],
  ["empty", undefined, ["replica"]],
  ["other", undefined, []],
  ["other", "log", []],
  ["other", "notes", []],
  // A root that was lost: recovery makes it again of the log, and a slave may be new.
  ["empty", "log", ["recover", "truncate", "replica"]],
  ["empty", "notes", []],
  // The log that belongs to it is not named, or another one is.
  ["root", "notes", []],
  ["root", "empty", ["replica"]],
  ["root", "nowhere", ["replica"]],
] as const) {
  test.serial(
    `no command makes a store of ${root}${log === undefined ? "" : ` and ${log}`}, or leaves anything there`,
    async (t) => {
      const parent = directories(t);
      const before = namesIn(parent);
      const option = log === undefined ? [] : ["--storePathCommitLog", join(parent, log)];
      for (const [name, args] of Object.entries(changing(join(parent, root), join(parent, "target")))) {
        if ((excepted as readonly string[]).includes(name)) continue;
        const { code, message } = await refused(t, [...args, ...option]);
        const codes = root === "missing" ? ["UsageError"] : ["ERR_PATH_UNUSABLE", "ERR_COPY_TARGET"];
        t.true(codes.includes(code), `${name}: ${code}: ${message}`);
        t.deepEqual(namesIn(parent), before, name);
      }
    },
  );
}

test.serial("a replica is not made among the files of others: it says which directory it wants", async (t) => {
  const parent = directories(t);
  for (const args of [
    [join(parent, "other")],
    [join(parent, "empty"), "--storePathCommitLog", join(parent, "notes")],
    [join(parent, "new"), "--storePathCommitLog", join(parent, "notes")],
  ]) {
    const { code, message } = await refused(t, ["replica", ...args, "--of", NOBODY]);
    t.is(code, "ERR_COPY_TARGET", message);
    t.regex(message, /not there, or empty: (?:storePathRootDir|storePathCommitLog)=/);
  }
});

test.serial("a path that leads through a file is one where no directory is", async (t) => {
  const parent = directories(t);
  const path = join(parent, "other", "letter.txt", "store");
  for (const args of [
    ["stat", path],
    ["unfence", path],
    ["bench", "--in", path],
  ])
    t.regex((await refused(t, args)).message, /^there is no such directory: (?:storePathRootDir|--in)=/);
  t.is((await refused(t, ["put", path, "T", "--create"])).code, "ERR_PATH_UNUSABLE");
});

test.serial("recovery makes the root again of a log that lies elsewhere, and a slave that was ended early goes on", (t) => {
  const parent = directories(t);
  const log = join(parent, "log");
  t.deepEqual(recoveredStoreOptions(join(parent, "empty"), { storePathCommitLog: log }).storePathCommitLog, log);
  const root = join(parent, "early");
  for (const name of ["lock", "commitlog"]) {
    mkdirSync(join(root, name), { recursive: true });
    t.deepEqual(replicaOptions(root, {}), { storePathRootDir: root });
  }
});
