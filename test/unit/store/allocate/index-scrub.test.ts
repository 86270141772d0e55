import { rmSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "@millrace/format";
import test, { type ExecutionContext } from "ava";
import { IndexFileScrub } from "#store/allocate/index-scrub.js";
import { readIndexSeals, writeIndexSeals } from "#store/marks/index-seals.js";
import type { IndexScrub, IndexScrubCursor } from "#store/pipeline/controls.js";
import { flipBit } from "../../../support/flip-bit.js";
import { IndexDirectory, keyedLog, realStorage, requestOf } from "../../../support/index-log.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

/** Its slots are longer than a slice. */
const SHAPE = { maxHashSlotNum: 300_000, maxIndexNum: 20 };
const LOG = keyedLog(60);
const FIRST: IndexScrubCursor = { name: "", position: 0, crc: 0 };

/** Ends after some records; `goOn` is another life, which ends after some more. */
function scrubbed(
  t: ExecutionContext,
  records: number,
): { readonly directory: IndexDirectory; readonly goOn: (to: number) => void; readonly scrub: IndexFileScrub } {
  const directory = new IndexDirectory(temporaryDirectory(t), SHAPE);
  let end = 0;
  const goOn = (to: number): void => {
    const dispatcher = directory.dispatcher(LOG.records[end]?.offset);
    for (const record of LOG.records.slice(0, to)) dispatcher.dispatch(requestOf(LOG, record));
    dispatcher.close();
    end = to;
  };
  goOn(records);
  const endOf = (): number => LOG.records[end]?.offset ?? LOG.offset;
  const scrub = new IndexFileScrub(realStorage, storePaths(directory.root), directory.config, { get: endOf } as never, endOf());
  return { directory, goOn, scrub };
}

function damagedFrom(scrub: IndexFileScrub, from: IndexScrub): string[] {
  const damaged: string[] = [];
  for (let slice = from; slice.cursor !== undefined; ) {
    slice = scrub.scrubIndex(slice.cursor);
    if (slice.damaged !== undefined) damaged.push(slice.damaged);
  }
  return damaged;
}

test("a file that is filled, and sealed again, between two slices is begun again", (t) => {
  const { directory, goOn, scrub } = scrubbed(t, 10);
  const first = scrub.scrubIndex(FIRST);
  t.true((first.cursor?.position ?? 0) > 0);
  const { names } = directory;
  goOn(20);
  t.true(directory.names.length > names.length);
  t.deepEqual(damagedFrom(scrub, first), []);
  const path = join(directory.index, names[0] ?? "");
  flipBit(path, 20);
  t.deepEqual(damagedFrom(scrub, first), [path], "its header was read before, and is read again");
});

test("a file that retention takes between two slices does not keep those behind it from being compared", (t) => {
  const { directory, scrub } = scrubbed(t, 40);
  t.true(directory.names.length > 2);
  const first = scrub.scrubIndex(FIRST);
  const [taken = "", next = ""] = directory.names;
  rmSync(join(directory.index, taken));
  flipBit(join(directory.index, next), 20);
  const { indexSeals } = storePaths(directory.root);
  const { files = [] } = readIndexSeals(realStorage, indexSeals, SHAPE) ?? {};
  writeIndexSeals(realStorage, indexSeals, SHAPE, files.slice(1), []);
  t.deepEqual(damagedFrom(scrub, first), [join(directory.index, next)]);
});
