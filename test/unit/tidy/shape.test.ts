import test from "ava";
import { fileNames } from "#scripts/tidy/file-names.js";
import { functionsOf, lengthRatchet } from "#scripts/tidy/length-ratchet.js";
import { treeOf } from "#scripts/tidy/source-tree.js";
import { unfinishedWork } from "#scripts/tidy/unfinished-work.js";

const lines = (count: number): string => "x();\n".repeat(count);

test("a function over 70 lines and a file over 400 fail, one line less passes", (t) => {
  const check = (text: string) => lengthRatchet.check(treeOf({ "scripts/a.ts": text })).map(({ message }) => message);
  t.deepEqual(check(`function f(a: number): void {\n${lines(68)}}`), []);
  t.deepEqual(check(`function f(a: number): void {\n${lines(69)}}`), ["f may have 70 lines, lines=71"]);
  t.deepEqual(check(lines(400)), []);
  t.deepEqual(check(lines(401)), ["the file may have 400 lines, lines=401"]);
});

test("functions, methods, accessors and arrow functions are found; classes, literals and control flow are not functions", (t) => {
  const code = `
    class A extends B {
      constructor(a: number) { super(); }
      async #m({ a, b }: X): Promise<void> { if (a) { b(); } else if (b) { a(); } for (;;) { } switch (a) { case f(a): { } } }
      get g(): number { return 1; }
    }
    const o = { p: { q: 1 } };
    const arrow = (x: number) => { try { x(); } catch (e) { } };
    export function named(): void { while (1) { } }`;
  t.deepEqual(
    functionsOf(code).map(({ name }) => name),
    ["constructor", "#m", "g", "arrow", "named"],
  );
});

test("names that say nothing fail", (t) => {
  const paths = ["scripts/a/mapped-file.test.ts", "packages/store/src/utils/x.ts", "test/lock-manager.ts"];
  const tree = treeOf(Object.fromEntries(paths.map((path) => [path, ""])));
  t.deepEqual(
    fileNames.check(tree).map(({ message }) => message.split("=")[1]),
    ["utils", "lock-manager.ts"],
  );
});

test("notes for later fail in comments only, and tests that are left out or run alone fail", (t) => {
  const note = ["TO", "DO"].join("");
  const text = `// ${note}: later\nconst s = "${note}";\ntest.only("a", f);\ntest.serial.skip("b", f);\ntest.after.always(f);`;
  t.deepEqual(
    unfinishedWork.check(treeOf({ "test/a.test.ts": text })).map(({ line }) => line),
    [1, 3, 4],
  );
  const home = { "test/support/test-if.ts": 'test.skip("a", f);', "test/support/other.ts": 'test.skip("a", f);' };
  t.deepEqual(
    unfinishedWork.check(treeOf(home)).map(({ path }) => path),
    ["test/support/other.ts"],
  );
});
