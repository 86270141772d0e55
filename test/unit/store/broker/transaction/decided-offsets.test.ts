import test from "ava";
import { DecidedOffsets } from "#store/broker/transaction/decided-offsets.js";
import { chosenSeed, seededRandom } from "../../../../support/random.js";

test("decided in order, nothing is kept", (t) => {
  const decided = new DecidedOffsets(5);
  t.true(decided.has(4));
  t.false(decided.has(5));
  for (let i = 5; i < 100_000; i++) decided.add(i);
  t.is(decided.from, 100_000);
  t.is(decided.count, 0);
  t.false(decided.has(100_000));
});

test("one that stays undecided holds the others", (t) => {
  const decided = new DecidedOffsets(0);
  for (let i = 1; i < 50_000; i++) decided.add(i);
  decided.add(7);
  t.is(decided.from, 0);
  t.is(decided.count, 49_999);
  t.false(decided.has(0));
  t.true(decided.has(49_999));
  t.false(decided.has(50_000));
  decided.add(0);
  t.is(decided.from, 50_000);
  t.is(decided.count, 0);
});

test("retention passes over some", (t) => {
  const decided = new DecidedOffsets(0);
  decided.add(10);
  decided.add(20);
  decided.passTo(10);
  t.is(decided.from, 11);
  decided.passTo(1_000_000);
  t.is(decided.from, 1_000_000);
  t.is(decided.count, 0);
  decided.add(1_000_002);
  t.false(decided.has(1_000_001));
  t.false(decided.has(1_000_003));
});

test("in any order, as a set would", (t) => {
  const seed = chosenSeed();
  t.log(`seed ${seed}`);
  const random = seededRandom(seed);
  const decided = new DecidedOffsets(3);
  const model = new Set([0, 1, 2]);
  for (let round = 0; round < 20_000; round++) {
    let from = 0;
    if (random(500) === 0) {
      const passed = decided.from + random(200);
      decided.passTo(passed);
      for (let i = 0; i < passed; i++) model.add(i);
    } else {
      const one = Math.floor(round / 2) + random(3000);
      decided.add(one);
      model.add(one);
    }
    if (round % 97 !== 0) continue;
    while (model.has(from)) from++;
    t.is(decided.from, from);
    for (let i = from; i < from + 6000; i++) if (decided.has(i) !== model.has(i)) return t.fail(`round ${round}: ${i}`);
  }
});
