import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault, FaultOperation, Storage } from "@millrace/mapped-file";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { temporaryDirectory } from "../../support/temporary-directory.js";

function faulty(...faults: Fault[]): Storage {
  return createStorage(structuredClone({ kind: "faulty", faults }));
}

/** One call of each operation on the files `a` and `b` of a directory. */
const calls: Record<FaultOperation, (storage: Storage, directory: string) => unknown> = {
  descriptor: (storage, directory) => storage.open(join(directory, "a"), "read").close(),
  open: (storage, directory) => storage.open(join(directory, "a"), "read").close(),
  read: (storage, directory) => withFile(storage, directory, (file) => file.read(new Uint8Array(1), 0)),
  write: (storage, directory) => withFile(storage, directory, (file) => file.write(new Uint8Array(1), 0)),
  force: (storage, directory) => withFile(storage, directory, (file) => file.force()),
  map: (storage, directory) => withFile(storage, directory, (file) => file.map("read").unmap()),
  remove: (storage, directory) => storage.remove(join(directory, "a-missing")),
  removeDirectory: (storage, directory) => storage.removeDirectory(join(directory, "a-missing")),
  rename: (storage, directory) => storage.rename(join(directory, "b"), join(directory, "a")),
  share: (storage, directory) => {
    storage.remove(join(directory, "b"));
    storage.share(join(directory, "c"), join(directory, "a-new"));
    storage.remove(join(directory, "a-new"));
  },
  allocate: (storage, directory) => withFile(storage, directory, (file) => file.allocate(0, 4)),
  truncate: (storage, directory) => withFile(storage, directory, (file) => file.truncate(4)),
  syncDirectory: (storage, directory) => storage.syncDirectory(directory),
  diskUsage: (storage, directory) => storage.diskUsage(join(directory, "a")),
  lock: (storage, directory) => withFile(storage, directory, (file) => file.tryLock(0, 1)),
};

function withFile<T>(storage: Storage, directory: string, use: (file: ReturnType<Storage["open"]>) => T): T {
  const file = storage.open(join(directory, "a"), "write");
  try {
    return use(file);
  } finally {
    file.close();
  }
}

for (const [operation, call] of Object.entries(calls) as [FaultOperation, (typeof calls)[FaultOperation]][]) {
  test(`a planned fault hits ${operation}, on its path only, after so many calls, so many times`, (t) => {
    const directory = temporaryDirectory(t);
    for (const name of ["a", "b", "c"]) writeFileSync(join(directory, name), "1234");
    const path = operation === "syncDirectory" ? directory : join(directory, "a");
    const run = (storage: Storage): unknown => {
      writeFileSync(join(directory, "b"), "1234");
      return call(storage, directory);
    };
    const storage = faulty({ operation, path, after: 1, times: 2, code: "EIO" });
    t.notThrows(() => run(storage));
    const error = t.throws(() => run(storage), { code: "EIO" });
    t.regex(error?.message ?? "", new RegExp(`${operation} '.*'$`));
    t.throws(() => run(storage), { code: "EIO" });
    t.notThrows(() => run(storage));
    t.notThrows(() => run(faulty({ operation, path: "elsewhere", after: 0, code: "EIO" })));
  });
}

test("an allocation that is planned to be impossible is answered, not failed", (t) => {
  const path = join(temporaryDirectory(t), "a");
  const file = faulty({ operation: "allocate", path, after: 0, times: 1, code: "EOPNOTSUPP" }).open(path, "create");
  t.false(file.allocate(0, 4096));
  t.true(file.allocate(0, 4096));
  file.close();
});

test("a fault without a count lasts for ever", (t) => {
  const storage = faulty({ operation: "open", path: "x", after: 0, code: "EMFILE" });
  for (let i = 0; i < 5; i++) t.throws(() => storage.open("x", "read"), { code: "EMFILE" });
});

test("a write can stop in the middle", (t) => {
  const path = join(temporaryDirectory(t), "a");
  const storage = faulty({ operation: "write", path, after: 0, code: "ENOSPC", partialBytes: 3 });
  const file = storage.open(path, "create");
  t.throws(() => file.write(new Uint8Array(8).fill(1), 0), { code: "ENOSPC" });
  file.close();
  t.deepEqual([...readFileSync(path)], [1, 1, 1]);
});

test("a memory lock is refused, not failed", (t) => {
  const path = join(temporaryDirectory(t), "a");
  writeFileSync(path, new Uint8Array(4096));
  const file = faulty({ operation: "lock", path, after: 0, code: "ENOMEM" }).open(path, "write");
  const mapping = file.map("write");
  t.false(mapping.lock(0, 4096));
  mapping.unlock(0, 4096);
  mapping.unmap();
  file.close();
});

for (const operation of ["open", "write", "force", "rename"] as const) {
  test(`writeSmall keeps the old content when ${operation} fails`, (t) => {
    const path = join(temporaryDirectory(t), "small");
    writeFileSync(path, "old");
    const storage = faulty({ operation, path: "small", after: 0, code: "EIO" });
    t.throws(() => storage.writeSmall(path, new TextEncoder().encode("new")), { code: "EIO" });
    t.is(readFileSync(path, "utf8"), "old");
  });
}

test("writeSmall is not done before its directory is synced", (t) => {
  const path = join(temporaryDirectory(t), "small");
  const storage = faulty({ operation: "syncDirectory", path: "", after: 0, code: "EIO" });
  t.throws(() => storage.writeSmall(path, new Uint8Array(1)), { code: "EIO" });
  t.true(existsSync(path));
});

test("readSmall meets faults of open and read", (t) => {
  const path = join(temporaryDirectory(t), "small");
  writeFileSync(path, "content");
  t.throws(() => faulty({ operation: "open", path, after: 0, code: "EACCES" }).readSmall(path), { code: "EACCES" });
  t.throws(() => faulty({ operation: "read", path, after: 0, code: "EIO" }).readSmall(path), { code: "EIO" });
});
