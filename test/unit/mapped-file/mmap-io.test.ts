import { execFile, execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import mmap from "@millrace/mmap-io";
import test from "ava";

const PAGE = mmap.PAGESIZE;
const READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE;
const MADV_POPULATE_WRITE = 23;
const directory = mkdtempSync(join(tmpdir(), "millrace-mmap-"));
let files = 0;

test.after.always(() => rmSync(directory, { recursive: true }));

/** A new sparse file; the caller closes it, unless the test ends the process's use of it. */
function openFile(size: number): { fd: number; path: string } {
  const path = join(directory, `file-${files++}`);
  const fd = openSync(path, "w+");
  ftruncateSync(fd, size);
  return { fd, path };
}

function mapShared(size: number, fd: number, offset?: number): Buffer {
  return mmap.map(size, READ_WRITE, mmap.MAP_SHARED, fd, offset);
}

function mappingsOf(path: string): number {
  const lines = readFileSync("/proc/self/maps", "utf8").split("\n");
  return lines.filter((line) => line.endsWith(path)).length;
}

test("what is written through one mapping is seen through another and by read", (t) => {
  const { fd } = openFile(2 * PAGE);
  const writer = mapShared(2 * PAGE, fd);
  const reader = mapShared(PAGE, fd, PAGE);
  writer[PAGE + 5] = 77;
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, PAGE + 5);
  closeSync(fd);
  t.is(reader[5], 77);
  t.is(byte[0], 77);
});

test("an offset beyond 4 GiB maps that part of the file", (t) => {
  const offset = 5 * 2 ** 30 + PAGE;
  const { fd } = openFile(offset + PAGE);
  const mapped = mapShared(PAGE, fd, offset);
  writeSync(fd, Buffer.from("far"), 0, 3, offset + 10);
  closeSync(fd);
  t.is(mapped.toString("latin1", 10, 13), "far");
});

test("unmap makes every view empty and takes the mapping away; a second unmap is false", (t) => {
  const { fd, path } = openFile(2 * PAGE);
  const mapped = mapShared(2 * PAGE, fd);
  closeSync(fd);
  const slice = mapped.subarray(PAGE);
  const view = new DataView(mapped.buffer, mapped.byteOffset, 16);
  t.is(mappingsOf(path), 1);
  t.true(mmap.unmap(slice));
  t.is(mappingsOf(path), 0);
  t.is(mapped.length, 0);
  t.is(slice.length, 0);
  t.is(mapped[0], undefined);
  t.throws(() => view.getInt32(0), { instanceOf: TypeError });
  t.false(mmap.unmap(mapped));
  t.false(mmap.unmap(slice));
  t.throws(() => mmap.sync(mapped), { code: "ERR_UNMAPPED" });
  t.throws(() => mmap.lock(mapped), { code: "ERR_UNMAPPED" });
});

test("unmapping one mapping leaves the others of the same file alone", (t) => {
  const { fd } = openFile(PAGE);
  const first = mapShared(PAGE, fd);
  const second = mapShared(PAGE, fd);
  closeSync(fd);
  first[0] = 9;
  mmap.unmap(first);
  t.is(second[0], 9);
});

test("a collected Buffer unmaps its mapping, once, and spares a later mapping of the same address", (t) => {
  const script = `
    const { createRequire } = await import("node:module");
    const { openSync, readFileSync } = await import("node:fs");
    const mmap = createRequire(${JSON.stringify(fileURLToPath(import.meta.url))})("@millrace/mmap-io");
    const fd = openSync(process.argv[1], "r");
    const map = () => mmap.map(mmap.PAGESIZE, mmap.PROT_READ, mmap.MAP_SHARED, fd);
    const mappings = () => readFileSync("/proc/self/maps", "utf8").split("\\n").filter((line) => line.endsWith(process.argv[1])).length;
    for (let i = 0; i < 20; i++) (() => map())();
    const unreferenced = mappings();
    for (let i = 0; i < 20; i++) (() => mmap.unmap(map()))();
    const last = map();
    for (let turns = 0; mappings() > 1 && turns < 100; turns++) {
      gc();
      await new Promise(setImmediate);
    }
    process.stdout.write(JSON.stringify([unreferenced > 1, mappings(), last[0]]));`;
  const { fd, path } = openFile(PAGE);
  writeSync(fd, Buffer.from([42]));
  closeSync(fd);
  const output = execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", script, path], { encoding: "utf8" });
  t.deepEqual(JSON.parse(output), [true, 1, 42]);
});

test("two workers one after the other map the file, are terminated holding a mapping, and the process ends", async (t) => {
  const { fd, path } = openFile(PAGE);
  closeSync(fd);
  const program = fileURLToPath(new URL("./mmap-two-workers.js", import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, path], { timeout: 30_000 });
  t.is(stderr, "");
  t.deepEqual(JSON.parse(stdout), [
    { seen: 11, unmapped: true, lengthAfterUnmap: 0, mainSees: 11 },
    { seen: 22, unmapped: true, lengthAfterUnmap: 0, mainSees: 22 },
  ]);
});

test("lock and unlock work, or say which limit forbids it", (t) => {
  const { fd } = openFile(4 * PAGE);
  const mapped = mapShared(4 * PAGE, fd);
  closeSync(fd);
  try {
    mmap.lock(mapped, PAGE, PAGE);
    t.is(mmap.incore(mapped, PAGE, PAGE)[1], 1);
    mmap.unlock(mapped, PAGE, PAGE);
    mmap.lock(mapped);
    mmap.unlock(mapped);
  } catch (error) {
    t.true(["ENOMEM", "EPERM", "EAGAIN"].includes((error as NodeJS.ErrnoException).code ?? ""));
    t.is((error as NodeJS.ErrnoException).syscall, "mlock");
  }
  t.throws(() => mmap.lock(mapped, 0, 4 * PAGE + 1), { code: "ERR_OUT_OF_RANGE" });
  t.throws(() => mmap.unlock(mapped, PAGE, 4 * PAGE), { code: "ERR_OUT_OF_RANGE" });
});

test("advice is any integer the kernel knows, at map and later", (t) => {
  const { fd } = openFile(4 * PAGE);
  const mapped = mmap.map(4 * PAGE, READ_WRITE, mmap.MAP_SHARED, fd, 0, mmap.MADV_SEQUENTIAL);
  mmap.advise(mapped, mmap.MADV_WILLNEED);
  mmap.advise(mapped, PAGE, PAGE, mmap.MADV_RANDOM);
  try {
    mmap.advise(mapped, MADV_POPULATE_WRITE);
    t.deepEqual(mmap.incore(mapped), [0, 4]);
  } catch (error) {
    t.is((error as NodeJS.ErrnoException).code, "EINVAL"); // before Linux 5.14
  }
  t.throws(() => mmap.advise(mapped, 9999), { code: "EINVAL" });
  t.throws(() => mmap.advise(mapped, 1, PAGE, mmap.MADV_NORMAL), { code: "EINVAL" });
  t.throws(() => mmap.map(PAGE, READ_WRITE, mmap.MAP_SHARED, fd, 0, 9999), { code: "EINVAL" });
  closeSync(fd);
});

test("sync takes any part of the mapping and refuses what lies outside", (t) => {
  const { fd } = openFile(2 * PAGE);
  const mapped = mapShared(2 * PAGE, fd);
  closeSync(fd);
  mapped.fill(1);
  t.notThrows(() => mmap.sync(mapped));
  t.notThrows(() => mmap.sync(mapped, 100, 10, true));
  t.notThrows(() => mmap.sync(mapped.subarray(PAGE + 1), 3, 1, false, true));
  t.throws(() => mmap.sync(mapped, 2 * PAGE + 1), { code: "ERR_OUT_OF_RANGE" });
  t.throws(() => mmap.sync(mapped, 2 ** 32, 1), { code: "ERR_OUT_OF_RANGE" });
  t.throws(() => mmap.sync(mapped, 0, 1, 1 as unknown as boolean), { code: "ERR_INVALID_ARG_TYPE" });
});

test("bad sizes and offsets are range errors, wrong types are type errors, and the system's errors carry its names", (t) => {
  const { fd } = openFile(PAGE);
  for (const bad of [-1, 0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    t.throws(() => mapShared(bad, fd), { instanceOf: RangeError, code: "ERR_OUT_OF_RANGE" }, `size=${bad}`);
  }
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
    t.throws(() => mapShared(PAGE, fd, bad), { instanceOf: RangeError, code: "ERR_OUT_OF_RANGE" }, `offset=${bad}`);
  }
  t.throws(() => mapShared("1" as unknown as number, fd), { instanceOf: TypeError, code: "ERR_INVALID_ARG_TYPE" });
  t.throws(() => mapShared(PAGE, fd, 1n as unknown as number), { instanceOf: TypeError, code: "ERR_INVALID_ARG_TYPE" });
  t.like(
    t.throws(() => mapShared(PAGE, fd, 1)),
    { code: "EINVAL", errno: -22, syscall: "mmap" },
  );
  t.throws(() => mapShared(2 ** 47, fd), { code: "ENOMEM" });
  closeSync(fd);
  t.throws(() => mapShared(PAGE, 1_000_000), { code: "EBADF" });
});

test("a range of a file is allocated, and its holes are found, beyond 4 GiB too", (t) => {
  const end = 6 * 2 ** 30;
  const { fd } = openFile(end);
  const at = 5 * 2 ** 30;
  t.deepEqual([mmap.seekData(fd, 0), mmap.seekHole(fd, PAGE)], [undefined, PAGE]);
  mmap.allocate(fd, at - PAGE, 4 * PAGE);
  writeSync(fd, Buffer.alloc(PAGE, 1), 0, PAGE, at);
  t.deepEqual([mmap.seekData(fd, 0), mmap.seekHole(fd, at), mmap.seekHole(fd, end)], [at, at + PAGE, undefined]);
  closeSync(fd);
});

test("allocate and seek refuse bad numbers, and carry the system's errors", (t) => {
  const { fd } = openFile(PAGE);
  for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
    t.throws(() => mmap.allocate(fd, bad, 1), { code: "ERR_OUT_OF_RANGE" }, `offset=${bad}`);
    t.throws(() => mmap.allocate(fd, 0, bad), { code: "ERR_OUT_OF_RANGE" }, `length=${bad}`);
    t.throws(() => mmap.seekData(fd, bad), { code: "ERR_OUT_OF_RANGE" }, `offset=${bad}`);
    t.throws(() => mmap.seekHole(bad, 0), { code: "ERR_OUT_OF_RANGE" }, `fd=${bad}`);
  }
  t.throws(() => mmap.allocate(fd, 0, 0), { code: "ERR_OUT_OF_RANGE" });
  t.throws(() => mmap.allocate("1" as unknown as number, 0, 1), { code: "ERR_INVALID_ARG_TYPE" });
  closeSync(fd);
  t.like(
    t.throws(() => mmap.allocate(1_000_000, 0, 1)),
    { code: "EBADF", errno: -9, syscall: "fallocate" },
  );
  t.like(
    t.throws(() => mmap.seekData(1_000_000, 0)),
    { code: "EBADF", syscall: "lseek" },
  );
});

test("only mappings of this thread are taken for mappings", (t) => {
  const strangers = [Buffer.alloc(PAGE), new Uint8Array(new SharedArrayBuffer(PAGE)), new Float64Array(4), {}, 3, null, undefined];
  for (const stranger of strangers as Uint8Array[]) {
    for (const call of [mmap.unmap, mmap.lock, mmap.unlock, mmap.sync, mmap.incore]) {
      t.throws(() => call(stranger), { instanceOf: TypeError, code: "ERR_INVALID_ARG_TYPE" });
    }
  }
});

test("calls on sockets say what is no socket and no argument of theirs", (t) => {
  const { fd } = openFile(PAGE);
  for (const call of [mmap.send, mmap.receive]) {
    t.throws(() => call(fd, new Uint8Array(1)), { code: "ENOTSOCK" });
    t.throws(() => call(fd, "text" as never), { code: "ERR_INVALID_ARG_TYPE" });
    t.throws(() => call(-1, new Uint8Array(1)), { code: "ERR_OUT_OF_RANGE" });
  }
  t.is(mmap.pollReadable(Int32Array.of(-1, fd), 2, 0), 1, "a file can always be read");
  t.is(mmap.pollReadable(Int32Array.of(-1, fd), 1, 0), -1);
  t.throws(() => mmap.pollReadable(Int32Array.of(fd), 2, 0), { code: "ERR_OUT_OF_RANGE" });
  t.throws(() => mmap.pollReadable(new Int32Array(65), 65, 0), { code: "ERR_OUT_OF_RANGE" });
  t.throws(() => mmap.pollReadable([fd] as never, 1, 0), { code: "ERR_INVALID_ARG_TYPE" });
  closeSync(fd);
});

test("whether a file is locked can be asked, also of a file that may only be read, without keeping anybody from it", (t) => {
  const { fd, path } = openFile(PAGE);
  const other = openSync(path, "r");
  t.false(mmap.isLocked(other, 0, 1));
  t.true(mmap.tryLock(fd, 0, 1), "it was asked, not taken");
  t.deepEqual([mmap.isLocked(other, 0, 1), mmap.isLocked(other, 1, 1), mmap.isLocked(fd, 0, 1)], [true, false, false]);
  closeSync(fd);
  t.false(mmap.isLocked(other, 0, 1));
  closeSync(other);
  t.like(
    t.throws(() => mmap.isLocked(1_000_000, 0, 1)),
    { code: "EBADF", syscall: "fcntl" },
  );
  t.throws(() => mmap.isLocked(0, -1, 1), { code: "ERR_OUT_OF_RANGE" });
});

test("a lock on a file is refused to every other open file, and gone with its own", (t) => {
  const { fd, path } = openFile(PAGE);
  const other = openSync(path, "r+");
  t.true(mmap.tryLock(fd, 0, 1));
  t.true(mmap.tryLock(fd, 0, 1));
  t.deepEqual([mmap.tryLock(other, 0, 1), mmap.tryLock(other, 1, 1)], [false, true]);
  closeSync(fd);
  t.true(mmap.tryLock(other, 0, 1));
  closeSync(other);
  t.like(
    t.throws(() => mmap.tryLock(1_000_000, 0, 1)),
    { code: "EBADF", errno: -9, syscall: "fcntl" },
  );
});
