import { closeSync, copyFileSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { INDEX_COUNT_OFFSET, INDEX_HEADER_LENGTH, INDEX_TOPIC_SEPARATOR, indexFileLength, indexKeyHash } from "@millrace/format";
import { createStorage, type Storage } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { IndexShapeSearch } from "#store/follow/index-shape-search.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { IndexDirectory, keyedLog, properties, SHAPE } from "../../../support/index-log.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** Of no likely proportion. */
const ODD = { maxHashSlotNum: 333, maxIndexNum: 777 };

/** What a storage is asked for. */
interface Asked {
  opened: number;
  closed: number;
  mapped: number;
}

function counting(storage: Storage): Asked {
  const asked = { opened: 0, closed: 0, mapped: 0 };
  const open = storage.open.bind(storage);
  storage.open = (path, access) => {
    const file = open(path, access);
    const [close, map] = [file.close.bind(file), file.map.bind(file)];
    asked.opened++;
    file.close = () => {
      asked.closed++;
      close();
    };
    file.map = (mapAccess) => {
      asked.mapped++;
      return map(mapAccess);
    };
    return file;
  };
  return asked;
}

function setCount(path: string, count: number): void {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setInt32(0, count);
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, 4, INDEX_COUNT_OFFSET);
  closeSync(file);
}

/** A file of an index whose slots lead nowhere. */
function damagedFile(directory: string, shape: typeof ODD, count: number): string {
  const path = join(directory, "20200101000000000");
  writeFileSync(path, new Uint8Array(indexFileLength(shape)));
  setCount(path, count);
  return path;
}

function builtIndex(t: ExecutionContext, shape: typeof ODD): string {
  const { index } = new IndexDirectory(temporaryDirectory(t), shape).build(keyedLog(30));
  return index;
}

test("an index file that cannot be mapped is closed again", (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, "20261128000000000"), "x");
  const storage = createStorage({ kind: "faulty", faults: [{ operation: "map", path: directory, after: 0, code: "ENOMEM" }] });
  const asked = counting(storage);
  t.throws(() => new IndexShapeSearch(storage, directory).find(), { code: "ENOMEM" });
  t.deepEqual([asked.opened, asked.closed], [1, 1]);
});

for (const [what, shape] of [
  ["likely", SHAPE],
  ["odd", ODD],
] as const) {
  test(`a file of ${what} shape is found beside one that is damaged and one that cannot be read`, (t) => {
    const directory = builtIndex(t, shape);
    damagedFile(directory, shape, 5);
    writeFileSync(join(directory, "20190101000000000"), "x");
    const faults = [{ operation: "open", path: "20190101000000000", after: 0, code: "EIO" }] as const;
    const search = new IndexShapeSearch(createStorage({ kind: "faulty", faults }), directory);
    t.deepEqual(search.find(), shape);
    t.is(readdirSync(directory).length, 3);
  });
}

test("a damaged file is not looked through again before its items have doubled, nor when the shape is known", (t) => {
  const directory = temporaryDirectory(t);
  const path = damagedFile(directory, ODD, 5);
  const storage = createStorage({ kind: "real" });
  const asked = counting(storage);
  const search = new IndexShapeSearch(storage, directory);
  const lookedThrough = (): number => {
    const before = asked.mapped;
    search.find();
    return asked.mapped - before - 1; // it is asked for its items, and for the likely shapes, each time
  };
  t.deepEqual([lookedThrough(), lookedThrough()], [1, 0]);
  setCount(path, 8);
  t.is(lookedThrough(), 0);
  setCount(path, 9);
  t.deepEqual([lookedThrough(), lookedThrough()], [1, 0]);
  const built = builtIndex(t, ODD);
  for (const name of readdirSync(built)) copyFileSync(join(built, name), join(directory, name));
  t.is(lookedThrough(), 2);
  t.deepEqual(search.find(), ODD);
  const before = asked.mapped;
  search.find();
  t.is(asked.mapped, before);
});

test("a file of a length that no shape has tells nothing", (t) => {
  const directory = builtIndex(t, ODD);
  const [name = ""] = readdirSync(directory);
  const bytes = readFileSync(join(directory, name));
  writeFileSync(join(directory, name), Buffer.concat([bytes, new Uint8Array(INDEX_HEADER_LENGTH + 1)]));
  t.is(new IndexShapeSearch(createStorage({ kind: "real" }), directory).find(), undefined);
});

/** Of TopicA, in the order of their numbers. */
function* keysOfFirstSlot({ maxHashSlotNum }: typeof ODD): Generator<string> {
  for (let n = 0; ; n++) if (indexKeyHash(`TopicA${INDEX_TOPIC_SEPARATOR}${n}`) % maxHashSlotNum === 0) yield String(n);
}

for (const items of [1, 2, 20]) {
  test(`a file with ${items} items, the newest in the first slot, is of no other shape: zeros are no items`, (t) => {
    const keys = keysOfFirstSlot(ODD);
    const log = new CommitLogBuilder(4096, true, 0);
    for (let n = 0; n < items; n++) log.add({ topic: "TopicA", properties: properties({ KEYS: keys.next().value as string }) });
    const { index } = new IndexDirectory(temporaryDirectory(t), ODD).build(log);
    t.deepEqual(new IndexShapeSearch(createStorage({ kind: "real" }), index).find(), ODD);
  });
}
