import test from "ava";
import { fileAccess } from "#scripts/tidy/file-access.js";
import { treeOf } from "#scripts/tidy/source-tree.js";

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
