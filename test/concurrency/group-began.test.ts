import { beginGroup, ControlBlock, endGroup, groupBeganUs } from "@millrace/shared-memory";
import test from "ava";

/** Up for some hours: the high half of a moment is not 0. */
const HOURS_US = 5 * 2 ** 32;
const LOADS = 3;

function wordFrom(us: number) {
  return ControlBlock.attach(ControlBlock.create({ appendBeganUs: us }), "append").counters.appendBeganUs;
}

test("a group has begun when it was said, by a microsecond, until it ends", (t) => {
  const word = wordFrom(0);
  t.is(groupBeganUs(word), undefined);
  for (const us of [HOURS_US + 0.5, HOURS_US + 7.25, HOURS_US + 1000]) {
    beginGroup(word, us);
    t.true(Math.abs((groupBeganUs(word) ?? 0) - us) <= 1);
    endGroup(word);
    t.is(groupBeganUs(word), undefined);
    endGroup(word);
    t.is(groupBeganUs(word), undefined);
  }
});

test("groups within one microsecond, and one that begins again before it has ended, do not turn the word back", (t) => {
  const word = wordFrom(HOURS_US);
  for (let n = 0; n < 10; n++) {
    beginGroup(word, HOURS_US + 0.5);
    beginGroup(word, HOURS_US + 0.25);
    t.is(groupBeganUs(word), HOURS_US + 1 + 2 * n);
    endGroup(word);
  }
});

/** Takes `between` steps before each load of a word's halves, as if the reader were interrupted there. */
function interruptedRead<T>(read: () => T, between: readonly number[], step: () => void): T {
  const { load } = Atomics;
  let at = 0;
  const interrupted = (words: Int32Array, index: number): number => {
    for (let steps = between[at++] ?? 0; steps > 0; steps--) step();
    return load(words, index);
  };
  Atomics.load = interrupted as typeof load;
  try {
    return read();
  } finally {
    Atomics.load = load;
  }
}

test.serial("a reader that is interrupted between the halves while groups begin and end takes no moment for another one", (t) => {
  for (const startUs of [HOURS_US - 9, HOURS_US, HOURS_US + 2 ** 31]) {
    for (let order = 0; order < 4 ** LOADS; order++) {
      const between = Array.from({ length: LOADS }, (_, load) => Math.floor(order / 4 ** load) % 4);
      const word = wordFrom(startUs);
      const values: (number | undefined)[] = [undefined];
      // By the owner's own copy, which needs no load.
      const step = (): void => {
        if (word.value % 2 === 0) beginGroup(word, word.value + 1);
        else endGroup(word);
        values.push(word.value % 2 === 0 ? undefined : word.value);
      };
      step();
      const read = interruptedRead(() => groupBeganUs(word), between, step);
      t.true(values.includes(read), `read=${read} values=${values} between=${between}`);
    }
  }
});
