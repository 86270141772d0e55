import { existsSync, linkSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage, separateFile } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const MIB = 1024 * 1024;

/** A file of 8 MiB with something at its beginning and in its middle, and another name that leads to it. */
function linkedFile(t: ExecutionContext): { root: string; path: string; other: string; temporary: string; bytes: Buffer } {
  const root = temporaryDirectory(t);
  const [path, other, temporary] = [join(root, "file"), join(root, "other"), join(root, "file.new")];
  const bytes = Buffer.alloc(8 * MIB);
  bytes.fill(1, 0, 10_000);
  bytes.fill(2, 4 * MIB + 5, 6 * MIB);
  writeFileSync(path, "");
  truncateSync(path, bytes.length);
  const file = createStorage({ kind: "real" }).open(path, "write");
  file.write(bytes.subarray(0, 10_000), 0);
  file.write(bytes.subarray(4 * MIB + 5, 6 * MIB), 4 * MIB + 5);
  file.close();
  linkSync(path, other);
  return { root, path, other, temporary, bytes };
}

test("a file with another name becomes one of its own with the same bytes and holes, and is left alone from then on", (t) => {
  const { root, path, other, temporary, bytes } = linkedFile(t);
  const storage = createStorage({ kind: "real" });
  symlinkSync(other, temporary); // whatever lies there is replaced, and not followed
  t.true(separateFile(storage, path, temporary));
  const [own, theirs] = [statSync(path), statSync(other)];
  t.not(own.ino, theirs.ino);
  t.true(own.blocks <= theirs.blocks, `${own.blocks} blocks of ${theirs.blocks}`);
  t.true(readFileSync(path).equals(bytes));
  t.false(separateFile(storage, path, temporary));
  t.is(statSync(path).ino, own.ino);
  const file = storage.open(path, "write");
  file.write(Buffer.alloc(MIB), 0);
  file.close();
  t.true(readFileSync(other).equals(bytes));
  t.deepEqual(readdirSync(root), ["file", "other"]);
});

test("a copy that cannot be made leaves the file as it is, with its names, and nothing else", (t) => {
  const { root, path, other, temporary, bytes } = linkedFile(t);
  for (const [operation, after] of [
    ["open", 1],
    ["truncate", 0],
    ["read", 1],
    ["write", 1],
    ["force", 0],
    ["rename", 0],
  ] as const) {
    const storage = createStorage({ kind: "faulty", faults: [{ operation, path: "file", after, code: "ENOSPC" }] });
    t.throws(() => separateFile(storage, path, temporary), { code: "ENOSPC" }, operation);
    t.is(statSync(path).ino, statSync(other).ino, operation);
    t.false(existsSync(temporary), operation);
  }
  t.true(readFileSync(path).equals(bytes));
  t.deepEqual(readdirSync(root), ["file", "other"]);
});

test("a file that is not there, or has one name, is left alone", (t) => {
  const root = temporaryDirectory(t);
  const storage = createStorage({ kind: "real" });
  const path = join(root, "file");
  t.false(separateFile(storage, path, `${path}.new`));
  writeFileSync(path, "1");
  t.false(separateFile(storage, path, `${path}.new`));
  t.deepEqual(readdirSync(root), ["file"]);
});
