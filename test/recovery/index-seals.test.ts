import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { indexItemPosition, storePaths } from "@millrace/format";
import { createStorage, type Fault, type FaultOperation } from "@millrace/mapped-file";
import test from "ava";
import type { DispatchedMark } from "#store/marks/dispatched-mark.js";
import { readIndexSeals, writeIndexSeals } from "#store/marks/index-seals.js";
import type { IndexRecovery, IndexRecoveryOptions } from "#store/recover/index/index-recovery.js";
import { flipBit } from "../support/flip-bit.js";
import { type IndexDirectory, realStorage, requestOf } from "../support/index-log.js";
import { assertComplete, built, headerOf, LOG, markOf, offsetAt, recover, SHAPE } from "../support/recovered-index.js";

function recoverSealed(
  directory: IndexDirectory,
  mark: DispatchedMark,
  options: Partial<IndexRecoveryOptions> = {},
): IndexRecovery {
  return recover(directory, { mark, sealsPath: storePaths(directory.root).indexSeals, ...options });
}

test("no flipped bit of an index file outlives an opening after a clean end; of a finished one, after a crash either", (t) => {
  const directory = built(t);
  const mark = markOf(directory, LOG.offset);
  const { names, contents } = directory;
  const seals = readFileSync(storePaths(directory.root).indexSeals);
  t.true(names.length > 2);
  let flips = 0;
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const length = indexItemPosition(SHAPE.maxHashSlotNum, headerOf(directory, name).indexCount);
    for (let at = 0; at < length; at += 29, flips++) {
      flipBit(join(directory.index, name), at, at % 8);
      const recovery = recoverSealed(directory, mark, { lastExitOk: isLast || flips % 2 === 0 });
      t.is(recovery.damage?.path, join(directory.index, name), `byte ${at} of ${name}`);
      assertComplete(t, directory, recovery, `byte ${at} of ${name}`);
      for (const made of directory.names) rmSync(join(directory.index, made));
      for (const [n, content] of contents.entries()) writeFileSync(join(directory.index, names[n] ?? ""), content);
      writeFileSync(storePaths(directory.root).indexSeals, seals);
    }
  }
  t.log(`${flips} flips`);
  t.like(recoverSealed(directory, mark), { row: "as-marked", indexFromOffset: LOG.offset, damage: undefined });
});

const CHANGES: Record<string, (path: string) => void> = {
  missing: (path) => rmSync(path),
  renamed: (path) => renameSync(path, `${path}.old`),
  "a directory": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  empty: (path) => writeFileSync(path, ""),
  longer: (path) => writeFileSync(path, new Uint8Array(2000)),
};

for (const [what, change] of Object.entries(CHANGES)) {
  for (const which of [0, 1, -1]) {
    test(`an index file is built again with those behind it when it is ${what}: file ${which}`, (t) => {
      const directory = built(t);
      const mark = markOf(directory, LOG.offset);
      const path = join(directory.index, directory.names.at(which) ?? "");
      change(path);
      const recovery = recoverSealed(directory, mark);
      t.is(recovery.damage?.path, path);
      t.is(recovery.indexFromOffset > 0, which !== 0, "what lies before it is kept");
      rmSync(`${path}.old`, { force: true });
      if (what === "a directory") rmSync(path, { recursive: true });
      assertComplete(t, directory, recovery);
    });
  }
}

test("a seal of before the file grew says nothing of it, where the disk has refused the one after", (t) => {
  const directory = built(t, 125);
  const sealsPath = storePaths(directory.root).indexSeals;
  const sealed = readFileSync(sealsPath);
  const { names } = directory;
  const dispatcher = directory.dispatcher(offsetAt(125));
  for (const record of LOG.records.slice(0, 140)) dispatcher.dispatch(requestOf(LOG, record));
  dispatcher.close();
  writeFileSync(sealsPath, sealed);
  t.deepEqual(directory.names, names);
  const mark = markOf(directory, offsetAt(140));
  t.like(recoverSealed(directory, mark, { maxOffset: offsetAt(140) }), { row: "as-marked", damage: undefined });
  const { files = [] } = readIndexSeals(realStorage, sealsPath, SHAPE) ?? {};
  t.true(files.every(({ indexCount }) => indexCount >= SHAPE.maxIndexNum));
});

for (const isDamaged of [false, true]) {
  const what = isDamaged ? "builds a damaged file again" : "cuts a file that is full";
  test(`a recovery that fails anywhere while it ${what} leaves no seal of a file that has changed`, (t) => {
    const operations = ["write", "force", "remove", "syncDirectory", "descriptor"] satisfies FaultOperation[];
    let failures = 0;
    for (const operation of operations) {
      for (let after = 0, hasFailed = true; hasFailed; after++) {
        const directory = built(t, 140);
        const mark = markOf(directory, offsetAt(140));
        directory.build(LOG, offsetAt(140)); // fills the last file, and seals it
        if (isDamaged) flipBit(join(directory.index, directory.names[1] ?? ""), 50);
        const faults: Fault[] = [
          { operation, path: directory.root, after, times: 1, code: operation === "descriptor" ? "EMFILE" : "EIO" },
        ];
        const options = { lastExitOk: isDamaged };
        hasFailed = false;
        try {
          recoverSealed(directory, mark, { ...options, storage: createStorage({ kind: "faulty", faults }) });
        } catch {
          hasFailed = true;
          failures++;
        }
        const recovery = recoverSealed(directory, mark, options);
        if (!isDamaged) t.is(recovery.damage, undefined, `${operation} after ${after}`);
        assertComplete(t, directory, recovery, `${operation} after ${after}`);
        t.is(recoverSealed(directory, markOf(directory, LOG.offset)).damage, undefined, `${operation} after ${after}`);
      }
    }
    t.true(failures > operations.length);
  });
}

test("a full disk that takes no seals has none of files that have changed", (t) => {
  const directory = built(t, 140);
  const mark = markOf(directory, offsetAt(140));
  const faults: Fault[] = [{ operation: "write", path: "millrace.index", after: 0, code: "ENOSPC" }];
  const storage = createStorage({ kind: "faulty", faults });
  const maxOffset = offsetAt(20);
  const recovery = recoverSealed(directory, mark, { storage, maxOffset });
  t.true(recovery.removed.length > 0);
  t.is(recoverSealed(directory, markOf(directory, maxOffset), { maxOffset }).damage, undefined);
});

test("the seal of a damaged file goes with it: the next opening finds nothing missing", (t) => {
  const directory = built(t);
  const mark = markOf(directory, LOG.offset);
  flipBit(join(directory.index, directory.names[0] ?? ""), 50);
  t.not(recoverSealed(directory, mark).damage, undefined);
  const noted = readIndexSeals(realStorage, storePaths(directory.root).indexSeals, SHAPE);
  const gone = noted?.files.filter(({ name }) => !directory.names.includes(name));
  t.deepEqual(gone, []);
});

for (const which of [0, 1, -1]) {
  test(`an index file found damaged while the store was open is built again after a crash, and only once: file ${which}`, (t) => {
    const directory = built(t, 140);
    const mark = markOf(directory, offsetAt(140));
    const sealsPath = storePaths(directory.root).indexSeals;
    const name = directory.names.at(which) ?? "";
    const dispatcher = directory.dispatcher(offsetAt(140));
    dispatcher.distrust(name);
    for (const record of LOG.records) dispatcher.dispatch(requestOf(LOG, record));
    dispatcher.force();
    const options = { lastExitOk: false, believesSeals: true };
    const recovery = recoverSealed(directory, mark, options);
    t.is(recovery.damage?.path, join(directory.index, name));
    assertComplete(t, directory, recovery);
    t.deepEqual(readIndexSeals(realStorage, sealsPath, SHAPE)?.distrusted, []);
    t.is(recoverSealed(directory, markOf(directory, LOG.offset), options).damage, undefined);
  });
}

test("a name that was not noted for want of a descriptor or of room is noted with the next force, and goes with its file", (t) => {
  const directory = built(t);
  const [name = ""] = directory.names;
  const noted = (): readonly string[] | undefined =>
    readIndexSeals(realStorage, storePaths(directory.root).indexSeals, SHAPE)?.distrusted;
  for (const code of ["EMFILE", "ENOSPC"]) {
    const operation = code === "EMFILE" ? "descriptor" : "write";
    const faults: Fault[] = [{ operation, path: "millrace.index", after: operation === "write" ? 0 : 1, times: 1, code }];
    const dispatcher = directory.dispatcher(LOG.offset, createStorage({ kind: "faulty", faults }));
    dispatcher.distrust(name);
    t.deepEqual(noted(), []);
    dispatcher.force();
    t.deepEqual(noted(), [name]);
    if (code === "ENOSPC") dispatcher.deleteExpired(offsetAt(100));
    else writeIndexSeals(realStorage, storePaths(directory.root).indexSeals, SHAPE, [], []);
    dispatcher.force();
    dispatcher.close();
  }
  t.deepEqual(noted(), []);
});

test("a file that retention has taken is not missing", (t) => {
  const directory = built(t);
  const mark = markOf(directory, LOG.offset);
  const [first = ""] = directory.names;
  const minOffset = headerOf(directory, first).endPhysicalOffset + 1;
  rmSync(join(directory.index, first));
  t.like(recoverSealed(directory, mark, { minOffset }), { row: "as-marked", damage: undefined });
});

test("the last file may have been written to since it was sealed, by RocketMQ or before a crash", (t) => {
  const directory = built(t, 140);
  const sealed = readFileSync(storePaths(directory.root).indexSeals);
  const mark = markOf(directory, offsetAt(140));
  directory.build(LOG, offsetAt(140));
  writeFileSync(storePaths(directory.root).indexSeals, sealed);
  for (const lastExitOk of [true, false]) t.is(recoverSealed(directory, mark, { lastExitOk }).damage, undefined);
});

test("finished files without seals are sealed as they are; without good seals all goes on as without any", (t) => {
  const directory = built(t);
  const mark = markOf(directory, LOG.offset);
  const path = storePaths(directory.root).indexSeals;
  flipBit(path, 20);
  t.like(recoverSealed(directory, mark), { row: "as-marked", damage: undefined });
  const name = directory.names[1] ?? "";
  flipBit(join(directory.index, name), 50);
  t.is(recoverSealed(directory, mark).damage?.path, join(directory.index, name));
});
