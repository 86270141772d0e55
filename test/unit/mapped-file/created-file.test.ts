import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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
  createFile(createStorage({ kind: "real" }), join(listed, "0"), LENGTH, listed);
  t.deepEqual(readFileSync(join(listed, "0")), Buffer.alloc(LENGTH));
  t.deepEqual(readdirSync(root), ["commitlog"]);
});

test("what fails leaves neither the file nor what was being prepared", (t) => {
  const root = temporaryDirectory(t);
  const listed = join(root, "commitlog");
  mkdirSync(listed);
  for (const operation of ["open", "truncate", "rename"] as const) {
    const storage = createStorage({ kind: "faulty", faults: [{ operation, path: "commitlog", after: 0, code: "EIO" }] });
    t.throws(() => createFile(storage, join(listed, "0"), LENGTH, listed), { code: "EIO" }, operation);
    t.deepEqual(readdirSync(listed), []);
    t.false(existsSync(`${listed}.new`));
  }
});

test("on a file system of its own, or below a directory that is not ours, it gets the file directly", (t) => {
  for (const [operation, code] of [
    ["rename", "EXDEV"],
    ["open", "EACCES"],
    ["open", "EROFS"],
  ] as const) {
    const root = temporaryDirectory(t);
    const listed = join(root, "commitlog");
    mkdirSync(listed);
    const storage = createStorage({ kind: "faulty", faults: [{ operation, path: "commitlog.new", after: 0, code }] });
    createFile(storage, join(listed, "0"), LENGTH, listed);
    t.deepEqual(readFileSync(join(listed, "0")), Buffer.alloc(LENGTH));
    t.deepEqual(readdirSync(root), ["commitlog"]);
  }
});
