import test from "ava";
import { lineLength } from "#scripts/tidy/line-length.js";
import { treeOf } from "#scripts/tidy/source-tree.js";

function found(path: string, text: string): string[] {
  return lineLength.check(treeOf({ [path]: text })).map(({ line, message }) => `${line} ${message.split("=").at(-1)}`);
}

const LONG = "x".repeat(141);

test("a line of 141 columns fails in code, comment and prose, one of 140 passes", (t) => {
  t.deepEqual(found("packages/store/src/a.ts", `${LONG.slice(1)}\n// ${LONG.slice(4)}\n// ${LONG.slice(3)}`), ["3 141"]);
  t.deepEqual(found("scripts/a.mjs", LONG), ["1 141"]);
  t.deepEqual(found("docs/a.md", `${LONG}\n\n${LONG.slice(1)}`), ["1 141"]);
});

test("columns are characters, not the words that UTF-16 needs for them", (t) => {
  t.deepEqual(found("docs/a.md", "𝄞".repeat(140)), []);
  t.deepEqual(found("docs/a.md", "𝄞".repeat(141)), ["1 141"]);
});

test("rows of tables and addresses may be longer in pages, not in sources", (t) => {
  t.deepEqual(found("docs/a.md", `| ${LONG} |\n* https://example.org/${LONG}`), []);
  t.deepEqual(found("docs/a.md", `see https://example.org/${LONG} for more`), ["1 174"]);
  t.deepEqual(found("packages/store/src/a.ts", `| ${LONG} |`), ["1 145"]);
});
