import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { type ConfigFileContent, readConfigFile, writeConfigFile } from "#store/marks/config-file.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const storage = createStorage({ kind: "real" });

function write(path: string, value: unknown, logOffset = 0): void {
  writeConfigFile(storage, path, new TextEncoder().encode(JSON.stringify(value)), logOffset);
}

function read(path: string): ConfigFileContent<unknown> {
  return readConfigFile(storage, path, "ERR_CONSUMER_OFFSETS_CORRUPT", (value) => {
    if (typeof value !== "object" || value === null || !("n" in value)) throw new TypeError("there is no n");
    return value;
  });
}

/** As `ConfigManager.persist` of a broker: what was there becomes the backup. */
function writeAsBroker(path: string, text: string): void {
  if (existsSync(path)) writeFileSync(`${path}.bak`, readFileSync(path));
  writeFileSync(path, text);
}

function fileOf(t: ExecutionContext): { path: string; copy: string } {
  const path = join(temporaryDirectory(t), "config", "consumerOffset.json");
  mkdirSync(dirname(path));
  return { path, copy: join(dirname(path), "millrace.consumerOffset") };
}

test("nothing is nothing; what was written is read, with the end of the log that it was taken at", (t) => {
  const { path } = fileOf(t);
  t.deepEqual(read(path), { value: undefined, logOffset: 0, damaged: [] });
  write(path, { n: 1 }, 77);
  t.deepEqual(read(path), { value: { n: 1 }, logOffset: 77, damaged: [] });
});

test("every flipped bit of the file is found, and the copy counts; so it is after a save of the same, and without a backup", (t) => {
  for (const saves of [[{ n: 5 }], [{ n: 3 }, { n: 5 }], [{ n: 3 }, { n: 5 }, { n: 5 }]]) {
    const { path, copy } = fileOf(t);
    for (const value of saves) write(path, value, 9);
    const good = readFileSync(path);
    for (let bit = 0; bit < 8 * good.length; bit++) {
      const bytes = Buffer.from(good);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      writeFileSync(path, bytes);
      const found = read(path);
      t.deepEqual([found.value, found.logOffset], [{ n: 5 }, 9], bytes.toString());
      t.like(found.damaged, [{ path, takenFrom: copy }]);
    }
    rmSync(path);
    // After the first save a missing file is what a crash between copy and file leaves.
    const damaged = saves.length === 1 ? [] : [{ path, reason: "it is missing", takenFrom: copy }];
    t.deepEqual(read(path), { value: { n: 5 }, logOffset: 9, damaged });
  }
});

test("what a broker has written since counts, and its backup when that is damaged", (t) => {
  const { path } = fileOf(t);
  write(path, { n: 1 });
  write(path, { n: 2 }, 50);
  writeAsBroker(path, '{"n":3}');
  t.deepEqual(read(path), { value: { n: 3 }, logOffset: 50, damaged: [] });
  writeAsBroker(path, '{"n":4}');
  t.deepEqual(read(path).value, { n: 4 });
  writeFileSync(path, '{"m":4}');
  t.like(read(path), { value: { n: 3 }, damaged: [{ path, reason: "there is no n", takenFrom: `${path}.bak` }] });
});

test("a file that says again what it said before the last save counts, when what was saved last is the backup", (t) => {
  const { path } = fileOf(t);
  write(path, { n: 1 });
  write(path, { n: 2 }, 50);
  writeAsBroker(path, '{"n":1}');
  t.deepEqual(read(path), { value: { n: 1 }, logOffset: 50, damaged: [] });
});

test("without a copy, or with a damaged one, file and backup are as good as they are; with neither of them the copy is", (t) => {
  const { path, copy } = fileOf(t);
  write(path, { n: 1 });
  write(path, { n: 2 });
  const good = readFileSync(copy);
  writeFileSync(copy, good.subarray(1));
  t.deepEqual(read(path), { value: { n: 2 }, logOffset: 0, damaged: [] });
  writeFileSync(path, "{");
  t.like(read(path), { value: { n: 1 } });
  writeFileSync(`${path}.bak`, "{");
  t.throws(() => read(path), { code: "ERR_CONSUMER_OFFSETS_CORRUPT" });
  writeFileSync(copy, good);
  t.like(read(path), { value: { n: 2 } });
});

test("a crash between copy and file leaves the new content", (t) => {
  const { path } = fileOf(t);
  write(path, { n: 1 });
  const before = readFileSync(path);
  write(path, { n: 2 });
  writeFileSync(path, before);
  t.deepEqual(read(path), { value: { n: 2 }, logOffset: 0, damaged: [] });
  rmSync(`${path}.bak`);
  t.deepEqual(read(path), { value: { n: 2 }, logOffset: 0, damaged: [] });
});
