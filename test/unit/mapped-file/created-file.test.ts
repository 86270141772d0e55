import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFile, createStorage } from "@millrace/mapped-file";
import test from "ava";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const LENGTH = 5000;

test("a file is made at its full length beside the directory, whatever lay there, and then gets its name", (t) => {
  const root = temporaryDirectory(t);
  const listed = join(root, "commitlog");
  mkdirSync(listed);
  writeFileSync(`${listed}.new`, "");
  createFile(createStorage({ kind: "real" }), join(listed, "0"), LENGTH, `${listed}.new`);
  t.deepEqual(readFileSync(join(listed, "0")), Buffer.alloc(LENGTH));
  t.deepEqual(readdirSync(root), ["commitlog"]);
});

test("what fails leaves neither the file nor what was being prepared", (t) => {
  const root = temporaryDirectory(t);
  const listed = join(root, "commitlog");
  mkdirSync(listed);
  for (const operation of ["open", "truncate", "rename"] as const) {
    const storage = createStorage({ kind: "faulty", faults: [{ operation, path: "commitlog", after: 0, code: "EIO" }] });
    t.throws(() => createFile(storage, join(listed, "0"), LENGTH, `${listed}.new`), { code: "EIO" }, operation);
    t.deepEqual(readdirSync(listed), []);
    t.false(existsSync(`${listed}.new`));
  }
});

test("on a file system of its own the directory gets the file directly, in the place of an older one", (t) => {
  const root = temporaryDirectory(t);
  const listed = join(root, "commitlog");
  mkdirSync(listed);
  const older = join(root, "older");
  writeFileSync(join(listed, "0"), "short");
  linkSync(join(listed, "0"), older);
  const storage = createStorage({
    kind: "faulty",
    faults: [{ operation: "rename", path: join(listed, "0"), after: 0, code: "EXDEV" }],
  });
  createFile(storage, join(listed, "0"), LENGTH, `${listed}.new`);
  t.deepEqual(readFileSync(join(listed, "0")), Buffer.alloc(LENGTH));
  t.is(readFileSync(older, "utf8"), "short");
  t.deepEqual(readdirSync(root), ["commitlog", "older"]);
});

test("a directory that has the name is left alone", (t) => {
  const root = temporaryDirectory(t);
  mkdirSync(join(root, "0"));
  t.throws(() => createFile(createStorage({ kind: "real" }), join(root, "0"), LENGTH, `${root}.new`), { code: "ERR_FILE_TYPE" });
});
