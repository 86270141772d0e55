import test from "ava";
import { orphanFiles } from "#scripts/tidy/orphan-files.js";
import { treeOf } from "#scripts/tidy/source-tree.js";

test("a file that nothing exported, no worker entry and no command reaches is an orphan", (t) => {
  const tree = treeOf({
    "packages/cli/package.json": '{ "bin": { "millrace": "./dist/millrace.js" } }',
    "packages/cli/src/millrace.ts": 'import "./command/dump.js";',
    "packages/cli/src/command/dump.ts": "",
    "packages/store/package.json": '{ "exports": { ".": { "default": "./dist/index.js" }, "./b": { "default": "./dist/b.js" } } }',
    "packages/store/src/b.ts": "",
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
