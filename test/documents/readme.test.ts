import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { FIXTURES_DIRECTORY } from "../support/fixture-store.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const readme = readFileSync(join(FIXTURES_DIRECTORY, "..", "..", "README.md"), "utf8");
const MOST_LINES = 20;

test("the README's first example runs as printed, and is short", (t) => {
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  t.true(code.split("\n").filter((line) => line !== "").length <= MOST_LINES);
  // Inside the workspace, where the package is found by its name.
  const file = join(import.meta.dirname, "example.mjs");
  writeFileSync(file, code);
  const lines = execFileSync(process.execPath, [file], { cwd: temporaryDirectory(t), encoding: "utf8" })
    .trim()
    .split("\n");
  t.is(lines.length, 21);
  t.regex(lines[9] ?? "", /^PUT_OK [0-9A-F]{32} 9$/);
  t.is(lines[10], "0 created order 0");
  t.is(lines[19], "9 paid order 9");
  t.is(lines[20], "1");
});
