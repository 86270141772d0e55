import test from "ava";
import { dependencyDirection } from "#scripts/tidy/dependency-direction.js";
import { treeOf } from "#scripts/tidy/source-tree.js";

function messages(texts: Record<string, string>): string[] {
  return dependencyDirection.check(treeOf(texts)).map(({ message }) => message);
}

test("imports along the allowed direction pass", (t) => {
  const texts = {
    "packages/store/src/put/a.ts": 'import { x } from "@millrace/format";\nimport { y } from "../b.js";',
    "packages/mapped-file/src/a.ts": 'import { MillraceError } from "@millrace/format";',
    "packages/cli/package.json": '{ "dependencies": { "@millrace/store": "workspace:*", "other": "1" } }',
    "test/a.test.ts": 'import { x } from "#store/b.js";',
  };
  t.deepEqual(messages(texts), []);
});

test("imports and manifests against the direction fail", (t) => {
  t.deepEqual(messages({ "packages/format/src/a.ts": 'export { x } from "@millrace/store";' }), [
    "format must not depend on store",
  ]);
  t.deepEqual(messages({ "packages/shared-memory/src/a.ts": 'import { x } from "@millrace/format";' }), [
    "shared-memory must not depend on format",
  ]);
  t.deepEqual(messages({ "packages/mapped-file/src/a.ts": 'const x = await import("@millrace/stats");' }), [
    "mapped-file must not depend on stats",
  ]);
  t.deepEqual(messages({ "packages/stats/package.json": '{ "dependencies": { "@millrace/store": "workspace:*" } }' }), [
    "stats must not depend on store",
  ]);
  t.deepEqual(messages({ "packages/fresh/package.json": "{}" }), ["a package that the table of dependencies does not know"]);
});

test("internals of another package and relative imports that leave src fail", (t) => {
  t.deepEqual(messages({ "packages/store/src/a.ts": 'import type { X } from "#format/x.js";' }), [
    "what a package does not export is for tests, import=#format/x.js",
  ]);
  t.deepEqual(messages({ "packages/store/src/put/a.ts": 'import { x } from "../../dist/x.js";' }), [
    "a relative import stays in its package's src, import=../../dist/x.js",
  ]);
});
