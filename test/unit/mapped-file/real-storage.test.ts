import { execFileSync } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const storage = createStorage({ kind: "real" });

test("write and read move whole buffers at a position, and a read stops at the end of the file", (t) => {
  const file = storage.open(join(temporaryDirectory(t), "file"), "create");
  file.write(new Uint8Array([1, 2, 3]), 5);
  t.is(file.size(), 8);
  const target = new Uint8Array(10).fill(9);
  t.is(file.read(target, 4), 4);
  t.deepEqual([...target], [0, 1, 2, 3, 9, 9, 9, 9, 9, 9]);
  file.close();
  file.close();
});

test("write takes a view of a SharedArrayBuffer", (t) => {
  const file = storage.open(join(temporaryDirectory(t), "file"), "create");
  const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(7);
  file.write(shared.subarray(2, 5), 0);
  t.deepEqual([...readFileSync(file.path)], [7, 7, 7]);
  file.close();
});

test("open for reading or writing wants an existing file, and a file open for reading refuses writes", (t) => {
  const path = join(temporaryDirectory(t), "file");
  t.throws(() => storage.open(path, "read"), { code: "ENOENT" });
  t.throws(() => storage.open(path, "write"), { code: "ENOENT" });
  storage.open(path, "create").close();
  const file = storage.open(path, "read");
  t.throws(() => file.write(new Uint8Array(1), 0), { code: "EBADF" });
  file.close();
});

test("allocated ranges take space, keep what is written, and are holes until somebody has looked", (t) => {
  const file = storage.open(join(temporaryDirectory(t), "file"), "create");
  file.truncate(1 << 20);
  file.write(new Uint8Array(4096).fill(7), 8192);
  const blocks = statSync(file.path).blocks;
  t.true(file.allocate(0, 1 << 19));
  t.is(file.size(), 1 << 20);
  t.true(statSync(file.path).blocks - blocks >= (1 << 19) / 512 - 16);
  t.is(file.seekData(0), 8192);
  t.is(file.seekHole(8192), 12288);
  const bytes = new Uint8Array(16384);
  file.read(bytes, 0);
  t.is(
    bytes.findIndex((byte) => byte !== 0),
    8192,
  );
  t.is(bytes.indexOf(0, 8192), 12288);
  file.close();
});

test("data and holes alternate from any position to the size, beyond which there is neither", (t) => {
  const file = storage.open(join(temporaryDirectory(t), "file"), "create");
  t.is(file.seekData(0), 0);
  t.is(file.seekHole(0), 0);
  file.truncate(3 * 2 ** 32);
  t.is(file.seekData(0), 3 * 2 ** 32);
  t.is(file.seekHole(5), 5);
  const at = 2 * 2 ** 32 + 65536;
  file.write(new Uint8Array(65536).fill(1), at);
  t.is(file.seekData(5), at);
  t.is(file.seekData(at + 100), at + 100);
  t.is(file.seekHole(at + 100), at + 65536);
  t.is(file.seekData(at + 65536), file.size());
  t.is(file.seekHole(file.size()), file.size());
  file.close();
});

test("a store through a mapping is in the file, and unmapping empties every view", (t) => {
  const file = storage.open(join(temporaryDirectory(t), "file"), "create");
  file.write(new Uint8Array(8192), 0);
  const mapping = file.map("write");
  const view = mapping.bytes.subarray(4096, 4100);
  view.set([1, 2, 3, 4]);
  file.force();
  const target = new Uint8Array(4);
  file.read(target, 4096);
  t.deepEqual([...target], [1, 2, 3, 4]);
  mapping.unmap();
  mapping.unmap();
  t.is(view.length, 0);
  t.is(mapping.bytes.length, 0);
  file.close();
});

test("a store through a view stays in its page; other pages show what is written to the file", (t) => {
  const file = storage.open(join(temporaryDirectory(t), "file"), "create");
  file.write(new Uint8Array(8192).fill(1), 0);
  const [view, other] = [file.map("view"), file.map("view")];
  view.bytes[0] = 9;
  file.write(new Uint8Array([2]), 1);
  file.write(new Uint8Array([2]), 4096);
  t.deepEqual([view.bytes[0], view.bytes[1], view.bytes[4096]], [9, 1, 2]);
  t.deepEqual([other.bytes[0], other.bytes[1], other.bytes[4096]], [1, 2, 2]);
  t.is(readFileSync(file.path)[0], 1);
  view.unmap();
  other.unmap();
  file.close();
});

test("a mapping outlives the file object", (t) => {
  const path = join(temporaryDirectory(t), "file");
  writeFileSync(path, "abcd");
  const file = storage.open(path, "read");
  const mapping = file.map("read");
  file.close();
  t.is(mapping.bytes.toString(), "abcd");
  mapping.unmap();
});

test("a mapped file cannot be truncated until it is unmapped", (t) => {
  const file = storage.open(join(temporaryDirectory(t), "file"), "create");
  file.truncate(8192);
  const mapping = file.map("read");
  t.throws(() => file.truncate(4096), { code: "ERR_FILE_MAPPED" });
  t.is(file.size(), 8192);
  mapping.unmap();
  file.truncate(4096);
  t.is(file.size(), 4096);
  file.close();
});

test("a mapping is locked in memory unless the system refuses, which is not an error", (t) => {
  const file = storage.open(join(temporaryDirectory(t), "file"), "create");
  file.write(new Uint8Array(8192), 0);
  const mapping = file.map("write");
  t.is(typeof mapping.lock(0, 4096), "boolean");
  mapping.unlock(0, 4096);
  t.throws(() => mapping.lock(4096, 8192), { code: "ERR_OUT_OF_RANGE" });
  mapping.unmap();
  file.close();
});

test("list sorts, gives kinds and sizes, follows no links, and finds a missing directory empty", (t) => {
  const directory = temporaryDirectory(t);
  t.deepEqual(storage.list(join(directory, "missing")), []);
  writeFileSync(join(directory, "b"), "12");
  mkdirSync(join(directory, "c"));
  symlinkSync(join(directory, "b"), join(directory, "a"));
  symlinkSync(join(directory, "nowhere"), join(directory, "d"));
  const entries = storage.list(directory);
  t.deepEqual(
    entries.map(({ name, kind }) => [name, kind]),
    [
      ["a", "other"],
      ["b", "file"],
      ["c", "directory"],
      ["d", "other"],
    ],
  );
  t.is(entries[1]?.size, 2);
  t.throws(() => storage.list(join(directory, "b")), { code: "ENOTDIR" });
});

test("a file is regular: a link, a directory, a FIFO or a device is refused, and none is waited for", (t) => {
  const directory = temporaryDirectory(t);
  const at = (name: string): string => join(directory, name);
  writeFileSync(at("file"), "12");
  symlinkSync(at("file"), at("link"));
  symlinkSync(at("nowhere"), at("dangling"));
  symlinkSync("/dev/zero", at("zeros"));
  mkdirSync(at("directory"));
  execFileSync("mkfifo", [at("fifo")]);
  for (const name of ["link", "dangling", "zeros", "directory", "fifo"]) {
    for (const access of ["read", "write", "create"] as const) {
      t.throws(() => storage.open(at(name), access), { code: "ERR_FILE_TYPE", message: /path=/ }, `${name} ${access}`);
    }
    t.throws(() => storage.open(at(name), "exclusive"), { code: "EEXIST" }, name);
  }
  t.false(existsSync(at("nowhere")));
});

test("a new file is one that was not there, and has its rights", (t) => {
  const directory = temporaryDirectory(t);
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  createStorage({ kind: "real", fileMode: 0o660 }).open(join(directory, "file"), "exclusive").close();
  t.is(statSync(join(directory, "file")).mode & 0o777, 0o660);
  t.throws(() => storage.open(join(directory, "file"), "exclusive"), { code: "EEXIST" });
});

test("a file that is too long for a small one is not read", (t) => {
  const path = join(temporaryDirectory(t), "small");
  writeFileSync(path, "");
  truncateSync(path, 2 ** 40);
  t.throws(() => storage.readSmall(path), { code: "ERR_FILE_TOO_LONG", message: /length=1099511627776 limit=268435456/ });
});

test("makeDirectory makes parents and accepts what is there, and says which", (t) => {
  const path = join(temporaryDirectory(t), "a", "b", "c");
  t.true(storage.makeDirectory(path));
  t.false(storage.makeDirectory(path));
  t.true(statSync(path).isDirectory());
  writeFileSync(join(path, "file"), "");
  t.throws(() => storage.makeDirectory(join(path, "file", "d")), { code: "ENOTDIR" });
});

test("remove accepts a missing file, rename replaces", (t) => {
  const directory = temporaryDirectory(t);
  const [a, b] = [join(directory, "a"), join(directory, "b")];
  storage.remove(a);
  writeFileSync(a, "new");
  writeFileSync(b, "old");
  storage.rename(a, b);
  storage.syncDirectory(directory);
  t.false(storage.exists(a));
  t.is(readFileSync(b, "utf8"), "new");
  storage.remove(b);
  t.false(storage.exists(b));
});

test("a small file that goes between two calls of its reader is missing", (t) => {
  const path = join(temporaryDirectory(t), "small");
  const raced = createStorage({ kind: "real" });
  raced.exists = (asked) => {
    const isThere = storage.exists(asked);
    rmSync(asked, { force: true });
    return isThere;
  };
  writeFileSync(path, "gone in a moment");
  t.is(raced.readSmall(path), undefined);
});

test("writeSmall replaces a file by another one, over what a crash left", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "small");
  t.is(storage.readSmall(path), undefined);
  writeFileSync(path, "old, and longer");
  linkSync(path, join(directory, "old"));
  writeFileSync(`${path}.tmp`, "left by a crash, and longer still");
  storage.writeSmall(path, new TextEncoder().encode("new"));
  t.is(new TextDecoder().decode(storage.readSmall(path)), "new");
  t.is(readFileSync(join(directory, "old"), "utf8"), "old, and longer");
  t.deepEqual(
    storage.list(directory).map((entry) => entry.name),
    ["old", "small"],
  );
});

test("diskUsage gives plausible bytes", (t) => {
  const usage = storage.diskUsage(temporaryDirectory(t));
  t.true(usage.totalBytes > 0);
  t.true(usage.freeBytes >= 0 && usage.freeBytes <= usage.totalBytes);
  t.true(usage.usedBytes > 0 && usage.usedBytes + usage.freeBytes <= usage.totalBytes);
});

test("an entry tells when its file last changed, alone and in a list; a missing one is no entry", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "file");
  t.is(storage.entry(path), undefined);
  writeFileSync(path, "1234");
  utimesSync(path, 1000, 2000);
  const entry = { name: "file", kind: "file", size: 4, modifiedMs: 2_000_000, inode: statSync(path).ino, links: 1 } as const;
  t.deepEqual(storage.entry(path), entry);
  t.deepEqual(storage.list(directory), [entry]);
  t.is(storage.entry(directory)?.kind, "directory");
});

test("removeDirectory removes an empty directory, accepts a missing one, and refuses one with something in it", (t) => {
  const directory = join(temporaryDirectory(t), "a");
  storage.removeDirectory(directory);
  storage.makeDirectory(directory);
  writeFileSync(join(directory, "file"), "");
  t.throws(() => storage.removeDirectory(directory), { code: "ENOTEMPTY" });
  storage.remove(join(directory, "file"));
  storage.removeDirectory(directory);
  t.false(storage.exists(directory));
});

test("a directory whose name could not be made durable is not there: made again, its name is forced again", (t) => {
  const path = join(temporaryDirectory(t), "a", "b");
  const synced: string[] = [];
  const failing = Object.assign(createStorage({ kind: "real" }), {
    syncDirectory: (directory: string) => {
      synced.push(directory);
      if (synced.length === 3) throw Object.assign(new Error("EIO: planned"), { code: "EIO" });
    },
  });
  t.throws(() => failing.makeDirectory(path), { code: "EIO" });
  t.false(existsSync(path));
  failing.makeDirectory(path);
  t.true(existsSync(path));
  const [above, root, parent] = [join(path, "..", "..", ".."), join(path, "..", ".."), join(path, "..")];
  t.deepEqual(synced, [above, root, parent, root, parent]);
});

test("of a chain of directories that a kill cut short the last name is made durable with the rest", (t) => {
  const root = temporaryDirectory(t);
  const synced: string[] = [];
  const recording = Object.assign(createStorage({ kind: "real" }), {
    syncDirectory: (directory: string) => {
      synced.push(directory);
      if (directory === root) throw Object.assign(new Error("EACCES: planned"), { code: "EACCES" });
    },
  });
  mkdirSync(join(root, "a")); // and killed
  recording.makeDirectory(join(root, "a", "b", "c"));
  t.deepEqual(synced, [root, join(root, "a"), join(root, "a", "b")]);
});
