import test from "ava";
import { WaitStrategy } from "#shared-memory/wait-strategy.js";
import { until } from "../../support/until.js";

const SPIN_US = 2000;

/** Counts how often it is looked at; `moves`: somebody moves it while it is slept on. */
function sleepable(moves: boolean) {
  const counter = {
    looks: 0,
    value: 0,
    get: () => {
      counter.looks++;
      return counter.value;
    },
    wait: () => {
      if (moves) counter.value++;
    },
  };
  return counter;
}

test("who has waited in vain lies down at once the next time", (t) => {
  const strategy = new WaitStrategy(SPIN_US);
  const counter = sleepable(false);
  strategy.wait(counter, 0, 0);
  t.true(counter.looks > 16, "at first it looks");
  counter.looks = 0;
  strategy.wait(counter, 0, 0);
  t.true(counter.looks <= 1);
});

test("who was woken soon looks again the next time before it lies down", async (t) => {
  const strategy = new WaitStrategy(SPIN_US);
  const counter = sleepable(true);
  await until(() => {
    strategy.wait(counter, counter.value, 0);
    counter.looks = 0;
    strategy.wait(counter, counter.value, 0);
    return counter.looks > 16; // but on a machine that stands still for six milliseconds just then
  });
  t.pass();
});
