import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { segmentFileName } from "@millrace/format";
import { createStorage, MappedFileQueue } from "@millrace/mapped-file";
import test from "ava";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const SIZE = 4096;
const storage = createStorage({ kind: "real" });

function write(directory: string, offset: number, size = SIZE): string {
  const path = join(directory, segmentFileName(offset));
  writeFileSync(path, new Uint8Array(size));
  return path;
}

test("a missing or empty directory is an empty queue", (t) => {
  const directory = temporaryDirectory(t);
  for (const path of [directory, join(directory, "missing")]) {
    const queue = MappedFileQueue.load(storage, path, SIZE);
    t.is(queue.files.length, 0);
    t.deepEqual([queue.minOffset, queue.endOffset, queue.last], [0, 0, undefined]);
  }
});

test("a queue may begin with any segment; sub-directories are passed over", (t) => {
  const directory = temporaryDirectory(t);
  for (const offset of [3 * SIZE, 4 * SIZE, 5 * SIZE]) write(directory, offset);
  mkdirSync(join(directory, "archive"));
  const queue = MappedFileQueue.load(storage, directory, SIZE);
  t.deepEqual([queue.minOffset, queue.endOffset], [3 * SIZE, 6 * SIZE]);
  t.deepEqual(
    queue.files.map((file) => file.fromOffset),
    [3 * SIZE, 4 * SIZE, 5 * SIZE],
  );
});

test("empty last files are deleted, an empty file before others is an error", (t) => {
  const directory = temporaryDirectory(t);
  write(directory, 0);
  const empty = [write(directory, SIZE, 0), write(directory, 2 * SIZE, 0)];
  t.is(MappedFileQueue.load(storage, directory, SIZE).files.length, 1);
  t.false(empty.some((path) => existsSync(path)));
  write(directory, SIZE, 0);
  write(directory, 2 * SIZE);
  t.throws(() => MappedFileQueue.load(storage, directory, SIZE), { code: "ERR_SEGMENT_SIZE", message: /expected=4096$/ });
  t.is(readdirSync(directory).length, 3);
});

const wrong: [string, string, (directory: string) => void][] = [
  ["too short", "ERR_SEGMENT_SIZE", (directory) => write(directory, SIZE, SIZE - 1)],
  ["too long", "ERR_SEGMENT_SIZE", (directory) => write(directory, SIZE, SIZE + 1)],
  ["preceded by a gap", "ERR_SEGMENT_GAP", (directory) => write(directory, 2 * SIZE)],
  ["not named by an offset", "ERR_SEGMENT_NAME", (directory) => writeFileSync(join(directory, "1".repeat(19)), "")],
  ["at no multiple of the size", "ERR_SEGMENT_NAME", (directory) => write(directory, SIZE + 1)],
  ["beyond 2^53", "ERR_SEGMENT_NAME", (directory) => writeFileSync(join(directory, "9".repeat(20)), new Uint8Array(SIZE))],
  ["no file", "ERR_SEGMENT_TYPE", (directory) => symlinkSync("/dev/null", join(directory, segmentFileName(SIZE)))],
  ["a directory", "ERR_SEGMENT_TYPE", (directory) => mkdirSync(join(directory, segmentFileName(SIZE)))],
  ["a broken link", "ERR_SEGMENT_TYPE", (directory) => symlinkSync("nowhere", join(directory, segmentFileName(SIZE)))],
];
for (const [title, code, make] of wrong) {
  test(`a segment that is ${title} is ${code}, and nothing is touched`, (t) => {
    const directory = temporaryDirectory(t);
    write(directory, 0);
    make(directory);
    const before = readdirSync(directory);
    const error = t.throws(() => MappedFileQueue.load(storage, directory, SIZE), { code });
    t.regex(error?.message ?? "", /\w+=[^ ]+$/);
    t.deepEqual(readdirSync(directory), before);
  });
}

test("a path that is no directory, or cannot be read, is told apart", (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, "file"), "");
  t.throws(() => MappedFileQueue.load(storage, join(directory, "file"), SIZE), { code: "ERR_PATH_NOT_DIRECTORY" });
  const faulty = createStorage({ kind: "faulty", faults: [{ operation: "read", path: directory, after: 0, code: "EACCES" }] });
  t.throws(() => MappedFileQueue.load(faulty, directory, SIZE), { code: "ERR_PATH_UNREADABLE", message: /reason=EACCES$/ });
});

test("segments leave from the end, with their files", (t) => {
  const directory = temporaryDirectory(t);
  const paths = [1, 2].map((n) => write(directory, n * SIZE));
  const queue = MappedFileQueue.load(storage, directory, SIZE);
  queue.removeLast();
  t.deepEqual(
    paths.map((path) => existsSync(path)),
    [true, false],
  );
  t.deepEqual([queue.minOffset, queue.endOffset], [SIZE, 2 * SIZE]);
  queue.removeLast();
  queue.removeLast();
  t.deepEqual([existsSync(paths[0] as string), queue.files.length], [false, 0]);
});
