import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const program = fileURLToPath(import.meta.resolve("#scripts/tidy/main.js"));

const BAD_TREE = {
  "packages/format/package.json": '{ "dependencies": { "@millrace/store": "workspace:*" } }',
  "packages/format/src/index.ts": 'export { a } from "./a.js";',
  "packages/format/src/a.ts": 'import "./index.js";\nimport "node:fs";\nf(0xdaa320a7);',
  "packages/format/src/lonely-manager.ts": "",
  "packages/format/dist/a.ts": "test.only();",
  "scripts/long.mjs": "\n".repeat(400).concat("x();"),
  "test/a.test.ts": "test.only();",
  "docs/page.md": "word ".repeat(29),
  "docs/dist/page.md": "word ".repeat(29),
  "README.md": "word ".repeat(29),
};

test("the program names every rule that a bad tree breaks and exits with 1; compiled output is not its business", (t) => {
  const root = temporaryDirectory(t);
  for (const [path, text] of Object.entries(BAD_TREE)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [program, root], { encoding: "utf8" });
  t.is(status, 1);
  const rules = [...stderr.matchAll(/^(\S+?)(?::\d+)?: .* \((\S+)\)$/gm)].map(([, path, rule]) => `${rule} ${path}`);
  t.deepEqual(rules, [
    "dependency-direction packages/format/package.json",
    "orphan-files packages/format/src/lonely-manager.ts",
    "file-access packages/format/src/a.ts",
    "layout-numbers packages/format/src/a.ts",
    "length-ratchet scripts/long.mjs",
    "line-length README.md",
    "line-length docs/page.md",
    "file-names packages/format/src/lonely-manager.ts",
    "unfinished-work test/a.test.ts",
  ]);
});
