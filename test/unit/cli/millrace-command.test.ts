import { spawnSync } from "node:child_process";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ERROR_CODES } from "@millrace/store";
import test from "ava";
import { FIXTURES_DIRECTORY } from "../../support/fixture-store.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const MAIN = join(FIXTURES_DIRECTORY, "..", "..", "packages", "cli", "dist", "main.js");

function millrace(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
}

test("recover prints what was found; a wrong segment size is an error with its code, meaning and remedy", (t) => {
  const root = temporaryDirectory(t);
  cpSync(join(FIXTURES_DIRECTORY, "rocketmq-5.3.3"), root, { recursive: true });
  const sizes = ["--mappedFileSizeConsumeQueue", "200", "--maxHashSlotNum", "100", "--maxIndexNum", "50"];
  const { status, stdout } = millrace("recover", root, "--mappedFileSizeCommitLog", "4096", ...sizes);
  t.is(status, 0);
  t.like(JSON.parse(stdout), { minOffset: 0, queueOffsets: { "TopicA-0": 5, "TopicB-1": 3 } });
  const wrong = millrace("recover", root, ...sizes);
  t.is(wrong.status, 1);
  const [message = "", ...sentences] = wrong.stderr.trim().split("\n");
  t.regex(message, /^ERR_SEGMENT_SIZE: .*mappedFileSizeCommitLog/);
  const { meaning, remedy } = ERROR_CODES.ERR_SEGMENT_SIZE;
  t.deepEqual(sentences, [meaning, remedy]);
});

test("unfence removes the mark of a failed force", (t) => {
  const root = temporaryDirectory(t);
  const fence = join(root, "millrace.fence");
  writeFileSync(fence, "{}");
  t.is(millrace("unfence", root).status, 0);
  t.false(existsSync(fence));
});

test("bad usage is told, exit code 2, and makes no directory", (t) => {
  const missing = join(temporaryDirectory(t), "missing");
  for (const args of [[], ["frobnicate"], ["recover"], ["recover", missing], ["recover", ".", "--no-such"], ["unfence", missing]]) {
    const { status, stderr } = millrace(...args);
    t.is(status, 2, args.join(" "));
    t.regex(stderr, /usage: millrace/);
  }
  t.false(existsSync(missing));
});
