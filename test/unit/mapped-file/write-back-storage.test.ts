import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFile, type StorageFile } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { FailingDisk } from "../../support/failing-disk.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const PAGE = 4096;
const EIO = { code: "EIO" };

function written(t: ExecutionContext, text: string): { disk: FailingDisk; path: string; file: StorageFile } {
  const disk = new FailingDisk(t, [{ path: "file", after: -1, code: "EIO" }]);
  const path = join(temporaryDirectory(t), "file");
  const file = disk.storage.open(path, "create");
  file.write(Buffer.from(text), 0);
  file.force();
  return { disk, path, file };
}

test("a failed write-back is reported once to each descriptor that was open, and to none that is opened after the report", (t) => {
  const { disk, path, file } = written(t, "old");
  const other = disk.storage.open(path, "write");
  file.write(Buffer.from("new"), 0);
  disk.arm();
  t.throws(() => file.force(), EIO);
  t.notThrows(() => file.force());
  t.notThrows(() => disk.storage.open(path, "write").force());
  t.throws(() => other.force(), EIO);
  t.notThrows(() => other.force());
});

test("a failure that nobody was told of is reported to a descriptor that is opened after it", async (t) => {
  const { disk, path, file } = written(t, "old");
  file.write(Buffer.from("new"), 0);
  disk.failWriteBack(path);
  await t.throwsAsync(disk.storage.forceInBackground(path), EIO);
  await t.notThrowsAsync(disk.storage.forceInBackground(path));
  t.throws(() => file.force(), EIO);
});

test("pages that were lost are clean, the cache shows them until a remount, and writing them again makes them durable", (t) => {
  for (const isWrittenAgain of [false, true]) {
    const { disk, path, file } = written(t, "old");
    file.write(Buffer.from("new"), 0);
    disk.failWriteBack(path);
    t.throws(() => file.force(), EIO);
    t.notThrows(() => file.force());
    if (isWrittenAgain) file.write(Buffer.from("new"), 0);
    file.force();
    t.is(readFileSync(path, "utf8"), "new");
    file.close();
    disk.remount();
    t.is(readFileSync(path, "utf8"), isWrittenAgain ? "new" : "old");
  }
});

test("stores through a mapping, and what was never forced, are lost with a remount", (t) => {
  const { disk, path, file } = written(t, "old");
  const mapping = file.map("write");
  mapping.bytes.write("map");
  file.force();
  mapping.bytes.write("M");
  mapping.unmap();
  file.close();
  const never = join(path, "..", "never");
  createFile(disk.storage, never, 3, `${join(path, "..")}.new`);
  const unforced = disk.storage.open(never, "write");
  unforced.write(Buffer.from("abc"), 0);
  unforced.close();
  disk.remount();
  t.is(readFileSync(path, "utf8"), "map");
  t.is(readFileSync(never, "utf8"), "\0\0\0");
});

test("a force of a range writes back its pages, and none of the others", (t) => {
  const { disk, path, file } = written(t, "a".repeat(5 * PAGE));
  const mapping = file.map("read");
  file.write(Buffer.alloc(5 * PAGE, "b"), 0);
  mapping.force(PAGE + 100, PAGE);
  mapping.unmap();
  file.close();
  disk.remount();
  const pages = readFileSync(path, "latin1").match(/.{4096}/g) ?? [];
  t.is(pages.map((page) => page[0]).join(""), "abbaa");
});

test("a force of a range tells its descriptor of what went wrong anywhere in the file, once", (t) => {
  const { disk, path, file } = written(t, "a".repeat(5 * PAGE));
  const mapping = file.map("read");
  file.write(Buffer.from("b"), 4 * PAGE);
  disk.failWriteBack(path);
  t.throws(() => mapping.force(0, PAGE), EIO);
  t.notThrows(() => mapping.force(0, PAGE));
  t.notThrows(() => file.force());
  mapping.unmap();
  file.close();
});

test("small files are replaced durably", (t) => {
  const { disk, path, file } = written(t, "old");
  file.close();
  disk.storage.writeSmall(path, Buffer.from("replaced"));
  disk.remount();
  t.is(readFileSync(path, "utf8"), "replaced");
});

test("a force without dirty pages asks nothing of the disk", (t) => {
  const { disk, file } = written(t, "old");
  disk.arm();
  t.notThrows(() => file.force());
  file.write(Buffer.from("old"), 0);
  t.throws(() => file.force(), EIO);
});
