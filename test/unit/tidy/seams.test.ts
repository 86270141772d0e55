import test from "ava";
import { clocks } from "#scripts/tidy/clocks.js";
import { fileAccess } from "#scripts/tidy/file-access.js";
import { treeOf } from "#scripts/tidy/source-tree.js";

test("file access outside packages/mapped-file fails for every way to reach files", (t) => {
  const forbidden = ["node:fs", "fs", "node:fs/promises", "@millrace/mmap-io"];
  const text = forbidden.map((specifier) => `import "${specifier}";`).join("\n");
  const tree = treeOf({
    "packages/store/src/a.ts": `import "node:path";\n${text}`,
    "packages/mapped-file/src/a.ts": text,
    "test/a.ts": text,
  });
  t.deepEqual(
    fileAccess.check(tree).map(({ path, line }) => `${path}:${line}`),
    forbidden.map((_, index) => `packages/store/src/a.ts:${index + 2}`),
  );
});

test("each clock is read in its home only; a moment that is given is no clock", (t) => {
  const wall = "Date.now();\nnew Date();\n";
  const monotonic = "performance.now();\nprocess.hrtime.bigint();\n";
  const tree = treeOf({
    "packages/store/src/a.ts": `new Date(0);\n${wall}${monotonic}`,
    "packages/shared-memory/src/wall-clock.ts": wall,
    "packages/shared-memory/src/monotonic-clock.ts": monotonic,
    "test/a.ts": wall,
  });
  t.deepEqual(
    clocks.check(tree).map(({ path, line }) => `${path}:${line}`),
    [2, 3, 4, 5].map((line) => `packages/store/src/a.ts:${line}`),
  );
});
