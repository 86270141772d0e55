import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ERROR_CODES, type MillraceErrorCode } from "@millrace/format";
import test from "ava";
import { errorPage } from "#scripts/documents/error-page.js";
import { readTree } from "#scripts/tidy/source-tree.js";
import { FIXTURES_DIRECTORY } from "../support/fixture-store.js";

const ROOT = join(FIXTURES_DIRECTORY, "..", "..");
const TABLE = "packages/format/src/error-codes.ts";
const MOST_COLUMNS = 140;

/** Codes as the sources of the packages give them, outside comments and comparisons. */
function codesInSources(): Set<string> {
  const codes = new Set<string>();
  for (const { path, text, comments } of readTree(ROOT).files) {
    if (!path.startsWith("packages/") || path === TABLE) continue;
    for (const { 1: code = "", index } of text.matchAll(/(?<!== )["`](ERR_[A-Z_]+)["`]/g)) {
      if (comments[index + 1] === "E") continue;
      codes.add(code);
    }
  }
  return codes;
}

test("every code in the sources is in the table, and every code of the table is in the sources", (t) => {
  const codes = codesInSources();
  t.true(codes.has("ERR_SERVICE_ENDED"), "codes of packages that do not use the table count");
  t.deepEqual([...codes].sort(), Object.keys(ERROR_CODES).sort());
});

test("docs/errors.md is what the table gives: npm run docs", (t) => {
  t.is(readFileSync(join(ROOT, "docs", "errors.md"), "utf8"), errorPage());
});

test("the table is sorted; each code has one sentence of meaning and one of remedy, of a line each", (t) => {
  const codes = Object.keys(ERROR_CODES) as MillraceErrorCode[];
  t.deepEqual(codes, [...codes].sort());
  for (const code of codes) {
    for (const sentence of Object.values(ERROR_CODES[code])) {
      t.regex(sentence, /^[A-Z].*\.$/, code);
      t.notRegex(sentence, /\. |\n/, code);
    }
  }
  for (const line of errorPage().split("\n")) t.true(line.length <= MOST_COLUMNS, line);
});
