import test from "ava";
import { importCycles } from "#scripts/tidy/import-cycles.js";
import { orphanFiles } from "#scripts/tidy/orphan-files.js";
import { treeOf } from "#scripts/tidy/source-tree.js";

test("a cycle is named file by file", (t) => {
  const tree = treeOf({
    "packages/store/src/index.ts": 'export { a } from "./put/a.js";',
    "packages/store/src/put/a.ts": 'import { b } from "../b.js";',
    "packages/store/src/b.ts": 'import type { C } from "./c.js";',
    "packages/store/src/c.ts": 'export { a } from "./put/a.js";',
  });
  t.deepEqual(
    importCycles.check(tree).map(({ message }) => message),
    ["import cycle: a.ts -> b.ts -> c.ts -> a.ts"],
  );
});

test("two ways to the same file are no cycle, and an import in a comment is none", (t) => {
  const tree = treeOf({
    "packages/store/src/a.ts": 'import "./b.js";\nimport "./c.js";',
    "packages/store/src/b.ts": 'import "./c.js";',
    "packages/store/src/c.ts": '// import "./a.js";',
  });
  t.deepEqual(importCycles.check(tree), []);
});

test("a file that neither index.ts nor a worker entry nor a command reaches is an orphan", (t) => {
  const tree = treeOf({
    "packages/cli/package.json": '{ "bin": { "millrace": "./dist/millrace.js" } }',
    "packages/cli/src/millrace.ts": 'import "./command/dump.js";',
    "packages/cli/src/command/dump.ts": "",
    "packages/store/src/index.ts": 'export { a } from "./a.js";',
    "packages/store/src/a.ts": 'new Worker(new URL("./thread.js", import.meta.url));',
    "packages/store/src/thread.ts": "",
    "packages/store/src/append/append-worker.ts": 'import { x } from "./appender.js";',
    "packages/store/src/append/appender.ts": "",
    "packages/store/src/lonely.ts": 'import { a } from "./a.js";',
    "packages/store/src/millrace.ts": "",
  });
  t.deepEqual(
    orphanFiles.check(tree).map(({ path }) => path),
    ["packages/store/src/lonely.ts", "packages/store/src/millrace.ts"],
  );
});
