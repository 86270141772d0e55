import test from "ava";
import { checkRooms, ROOMS, rooms } from "#scripts/tidy/rooms.js";
import { readTree, treeOf } from "#scripts/tidy/source-tree.js";
import { projectRoot } from "../../support/project-root.js";

const TABLE = {
  "packages/store/src": {
    marks: { thread: "any", uses: [] },
    append: { thread: "append", uses: ["marks"] },
    "recover/log": { thread: "main", uses: ["marks"] },
  },
};

function messages(texts: Record<string, string>): string[] {
  return checkRooms(treeOf(texts), TABLE).map(({ message }) => message);
}

const MARKS = { "packages/store/src/marks/fence.ts": "", "packages/store/src/append/roll.ts": "" };

test("a room uses itself and the rooms below it, and the face uses all", (t) => {
  const texts = {
    ...MARKS,
    "packages/store/src/append/a.ts": 'import { x } from "../marks/fence.js";\nimport { y } from "./roll.js";',
    "packages/store/src/recover/log/b.ts": 'import type { X } from "../../marks/fence.js";',
    "packages/store/src/index.ts": 'export { a } from "./append/a.js";',
  };
  t.deepEqual(messages(texts), []);
});

test("an import that is turned around fails, of a type too", (t) => {
  const path = "packages/store/src/marks/a.ts";
  const message = "marks must not use append, import=../append/roll.js";
  t.deepEqual(messages({ ...MARKS, [path]: 'import { x } from "../append/roll.js";' }), [message]);
  t.deepEqual(messages({ ...MARKS, [path]: 'import type { X } from "../append/roll.js";' }), [message]);
});

test("no room uses the face", (t) => {
  const texts = { "packages/store/src/index.ts": "", "packages/store/src/append/a.ts": 'import { x } from "../index.js";' };
  t.deepEqual(messages(texts), ["append must not use the face, import=../index.js"]);
});

test("a worker's entry that is named by its URL is not used", (t) => {
  t.deepEqual(messages({ ...MARKS, "packages/store/src/marks/a.ts": 'new URL("../append/roll.js", import.meta.url);' }), []);
});

test("a folder that the table does not know fails", (t) => {
  t.deepEqual(messages({ "packages/store/src/fresh/a.ts": "" }), ["the table of rooms does not know this folder, room=fresh"]);
});

test("a table with a room below itself fails", (t) => {
  const table = { x: { a: { thread: "main", uses: ["b"] }, b: { thread: "main", uses: ["a"] } } };
  t.deepEqual(
    checkRooms(treeOf({}), table).map(({ message }) => message),
    ["a room is below itself, room=a", "a room is below itself, room=b"],
  );
});

test("each use that the table allows is made somewhere: it says no more than is so", (t) => {
  const tree = readTree(projectRoot());
  t.deepEqual(rooms.check(tree), []);
  const unused: string[] = [];
  for (const [base, table] of Object.entries(ROOMS)) {
    for (const [name, { uses }] of Object.entries(table)) {
      for (const use of uses) {
        const less = { [base]: { ...table, [name]: { thread: "", uses: uses.filter((other) => other !== use) } } };
        if (checkRooms(tree, less).length === 0) unused.push(`${base}: ${name} does not use ${use}`);
      }
    }
  }
  t.deepEqual(unused, []);
});
