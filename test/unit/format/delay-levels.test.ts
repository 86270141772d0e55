import test from "ava";
import { DelayLevels } from "#format/delay-levels.js";

const DEFAULT_LEVELS = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h";

test("RocketMQ's eighteen levels", (t) => {
  const levels = DelayLevels.parse(DEFAULT_LEVELS);
  t.is(levels.maxLevel, 18);
  t.is(levels.delayMs(1), 1000);
  t.is(levels.delayMs(3), 10_000);
  t.is(levels.delayMs(5), 60_000);
  t.is(levels.delayMs(18), 7_200_000);
  t.is(levels.delayMs(0), undefined);
  t.is(levels.delayMs(19), undefined);
});

test("days, and more than one space", (t) => {
  const levels = DelayLevels.parse("  1d   0s ");
  t.is(levels.maxLevel, 2);
  t.is(levels.delayMs(1), 86_400_000);
  t.is(levels.delayMs(2), 0);
});

test("a level beyond the highest counts as the highest", (t) => {
  const levels = DelayLevels.parse(DEFAULT_LEVELS);
  t.is(levels.clamp(99), 18);
  t.is(levels.clamp(18), 18);
  t.is(levels.deliverTime(99, 1_700_000_000_000), 1_700_007_200_000);
  t.is(levels.deliverTime(3, 1_700_000_000_000), 1_700_000_010_000);
});

test("a message without a level of ours is due a second later", (t) => {
  t.is(DelayLevels.parse("5s").deliverTime(-1, 1000), 2000);
});

for (const text of ["", "5", "5x", "s", "1s,5s", "-1s", "1.5s", "99999999999999999999d"]) {
  test(`no delay levels: "${text}"`, (t) => {
    t.throws(() => DelayLevels.parse(text), { code: "ERR_OPTION_ILLEGAL" });
  });
}
