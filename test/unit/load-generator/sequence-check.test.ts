import test from "ava";
import { SequenceCheck } from "#scripts/load-generator/sequence-check.js";

/** Lane 0 has the even numbers, lane 1 the odd ones. */
function see(...numbers: readonly number[]): SequenceCheck {
  const check = new SequenceCheck(2);
  for (const number of numbers) check.see(number % 2, number);
  return check;
}

const counts = ({ duplicates, outOfOrder }: SequenceCheck) => [duplicates, outOfOrder];

test("what each lane sees once and in order is right, however the lanes interleave", (t) => {
  t.deepEqual(counts(see(0, 2, 4, 1, 6, 3, 5, 7, 200_000, 200_001)), [0, 0]);
  t.deepEqual(see(0, 1).problems, []);
});

test("a message that comes twice is a duplicate, at once or later", (t) => {
  t.deepEqual(counts(see(0, 0, 2, 4, 2)), [2, 0]);
  t.regex(see(0, 0).problems[0] ?? "", /message 0 was consumed twice/);
});

test("a message that comes behind a later one is out of order, and no duplicate", (t) => {
  const check = see(0, 4, 2, 6);
  t.deepEqual(counts(check), [0, 1]);
  t.regex(check.problems[0] ?? "", /message 2 was consumed behind message 4/);
});

test("what was not seen is known, beyond the last one too", (t) => {
  const check = see(0, 2, 70_000);
  t.deepEqual(
    [0, 2, 70_000].map((number) => check.hasSeen(number)),
    [true, true, true],
  );
  t.deepEqual(
    [1, 4, 69_999, 70_001, 10_000_000].map((number) => check.hasSeen(number)),
    [false, false, false, false, false],
  );
});

test("only the first problems are kept", (t) => {
  const check = see(...Array.from({ length: 50 }, () => 0));
  t.is(check.duplicates, 49);
  t.is(check.problems.length, 10);
});
