import test from "ava";
import { consoleUse } from "#scripts/tidy/console-use.js";
import { fileAccess } from "#scripts/tidy/file-access.js";
import { treeOf } from "#scripts/tidy/source-tree.js";

test("console outside the command line and the scripts fails, in comments and strings it is text", (t) => {
  const tree = treeOf({
    "packages/store/src/a.ts": '// console.log\nconst s = "console.log()";\nconsole.log(s);',
    "packages/cli/src/a.ts": "console.log(1);",
    "scripts/a.ts": "console.log(1);",
  });
  t.deepEqual(
    consoleUse.check(tree).map(({ path, line }) => `${path}:${line}`),
    ["packages/store/src/a.ts:3"],
  );
});

test("file access outside packages/mapped-file fails for every way to reach files", (t) => {
  const forbidden = ["node:fs", "fs", "node:fs/promises", "mmap-io", "fs-native-extensions"];
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
