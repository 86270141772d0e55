import test from "ava";
import { type Excuses, shownDifferences } from "./shown-difference.js";
import type { ShownQueue, ShownStore } from "./shown-store.js";

const PLACES = { queues: [], keys: [], tags: ["TagA"], records: [], groups: [] };
const QUEUE = "paid-0";
const NEW = "900|paid|0|1|after";

function shown(queue: ShownQueue, tagged: string): ShownStore {
  const empty = { keyed: {}, looked: {}, undecided: [], committed: {} };
  return { places: PLACES, state: "running", queues: { [QUEUE]: queue }, tagged: { [`${QUEUE} TagA`]: tagged }, ...empty };
}

const BEFORE = shown({ min: 0, max: 2, messages: ["100|paid|0|0|TagA", "500|paid|0|1|TagA"] }, "0 1");
/** The end of the log from 500 on was cut, and the store has said so. */
const EXCUSES: Excuses = {
  isGone: (physicalOffset) => physicalOffset >= 500,
  isRefused: () => false,
  mayBeThere: (line) => line === NEW,
  areOffsetsExcepted: true,
  mayBeFenced: true,
};

test("a message that was cut is not missed by its tag either, when a new one has taken its place", (t) => {
  const after = shown({ min: 0, max: 2, messages: ["100|paid|0|0|TagA", NEW] }, "0");
  t.deepEqual(shownDifferences(BEFORE, after, EXCUSES), []);
});

test("a message that is there and that its tag does not find is a difference", (t) => {
  const found = shownDifferences(BEFORE, { ...BEFORE, tagged: { [`${QUEUE} TagA`]: "0" } }, EXCUSES);
  t.deepEqual(found, [{ verdict: "WRONG", what: "tag paid-0 TagA: does not find 1 any more" }]);
});

test("where a record was cut in an earlier life a new one may begin, and no other", (t) => {
  const before = { ...BEFORE, looked: { 900: "missing" } };
  t.deepEqual(shownDifferences(before, { ...BEFORE, looked: { 900: NEW } }, { ...EXCUSES, isGone: () => false }), []);
  const strange = "900|paid|0|1|other";
  t.deepEqual(shownDifferences(before, { ...BEFORE, looked: { 900: strange } }, { ...EXCUSES, isGone: () => false }), [
    { verdict: "WRONG", what: `record 900: ${strange} instead of missing` },
  ]);
});
