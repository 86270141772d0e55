import { classifyPutTimes, PUT_TIME_CLASSES, RuntimeInfo, type StoreTotals } from "@millrace/stats";
import test from "ava";

const BOOT = 1_700_000_000_000;
const NONE: StoreTotals = {
  putMessageTimesTotal: 0,
  putMessageFailedTimes: 0,
  putMessageSizeTotal: 0,
  putMessageEntireTimeMax: 0,
  putMessageDistributeTime: new Array<number>(PUT_TIME_CLASSES.length).fill(0),
  putLatency99Us: 0,
  putLatency999Us: 0,
  getMessageTimesTotalFound: 0,
  getMessageTimesTotalMiss: 0,
  getMessageTransferredMsgCount: 0,
  getMessageEntireTimeMax: 0,
  dispatchMaxBuffer: 0,
};

const putsAfter = (seconds: number, perSecond: number): StoreTotals => ({ ...NONE, putMessageTimesTotal: seconds * perSecond });

test("without a sample there is an answer, and every rate is 0.0", (t) => {
  const info = new RuntimeInfo(BOOT, BOOT).runtimeInfo(BOOT, NONE);
  t.deepEqual(Object.keys(info), [
    "bootTimestamp",
    "runtime",
    "putMessageEntireTimeMax",
    "putMessageTimesTotal",
    "putMessageFailedTimes",
    "putMessageSizeTotal",
    "putMessageDistributeTime",
    "putMessageAverageSize",
    "dispatchMaxBuffer",
    "getMessageEntireTimeMax",
    "putTps",
    "getFoundTps",
    "getMissTps",
    "getTotalTps",
    "getTransferredTps",
    "putLatency99",
    "putLatency999",
  ]);
  t.is(info.putTps, "0.0 0.0 0.0");
  t.is(info.putMessageTimesTotal, "1");
  t.is(info.putMessageAverageSize, "0.0");
  t.is(info.runtime, "[ 0 days, 0 hours, 0 minutes, 0 seconds ]");
});

test("the three rates cover 10, 60 and 600 seconds, and only the store's life when that is shorter", (t) => {
  const stats = new RuntimeInfo(BOOT, BOOT);
  let puts = 0;
  const totals = (): StoreTotals => ({
    ...NONE,
    putMessageTimesTotal: puts,
    getMessageTimesTotalFound: puts,
    getMessageTimesTotalMiss: puts,
  });
  for (let second = 0; second <= 5; second++) {
    stats.sample(BOOT + second * 1000, totals());
    puts += 10;
  }
  t.is(stats.runtimeInfo(BOOT + 5000, totals()).putTps, "10.0 10.0 10.0");
  for (let second = 6; second <= 700; second++) {
    if (second > 640) puts += 90;
    stats.sample(BOOT + second * 1000, totals());
    puts += 10;
  }
  // The last 60 samples hold 60 steps of 100, the 600 before half of a step of 10 each.
  t.is(stats.runtimeInfo(BOOT + 700_000, totals()).putTps, "100.0 100.0 19.0");
  t.is(stats.runtimeInfo(BOOT + 700_000, totals()).getTotalTps, "200.0 200.0 38.0");
});

test("polled ten times a second, the window is still 600 seconds and not 600 polls", (t) => {
  const stats = new RuntimeInfo(BOOT, BOOT);
  for (let ms = 0; ms <= 700_000; ms += 100) stats.sample(BOOT + ms, putsAfter(Math.min(200_000, ms), 1));
  t.is(stats.runtimeInfo(BOOT + 700_000, NONE).putTps, `0.0 0.0 ${100_000 / 600}`);
});

test("the store's life is measured by the monotonic clock, and its beginning shown by the wall clock", (t) => {
  const info = new RuntimeInfo(BOOT, 5000).runtimeInfo(65_000, NONE);
  t.is(info.bootTimestamp, String(BOOT));
  t.is(info.runtime, "[ 0 days, 0 hours, 1 minutes, 0 seconds ]");
});

test("put times fall into RocketMQ's thirteen classes", (t) => {
  const times = [0, 0.9, 1, 9.99, 10, 60, 150, 300, 700, 1500, 2500, 3500, 4500, 7000, 11_000, 60_000].map((ms) => ms * 1000);
  const classes = classifyPutTimes((us) => times.filter((time) => time < us).length, times.length);
  t.deepEqual(classes, [2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
});

test("the distribution starts again every 60 seconds", (t) => {
  const stats = new RuntimeInfo(BOOT, BOOT);
  const totals = (puts: number): StoreTotals => ({
    ...NONE,
    putMessageDistributeTime: [puts, ...NONE.putMessageDistributeTime.slice(1)],
  });
  stats.sample(BOOT + 59_000, totals(7));
  t.true(stats.runtimeInfo(BOOT, totals(8)).putMessageDistributeTime?.startsWith("[<=0ms]:8 [0~10ms]:0 [10~50ms]:0 "));
  stats.sample(BOOT + 60_000, totals(9));
  t.true(stats.runtimeInfo(BOOT, totals(12)).putMessageDistributeTime?.startsWith("[<=0ms]:3 "));
  t.true(stats.runtimeInfo(BOOT, totals(12)).putMessageDistributeTime?.endsWith(" [10s~]:0"));
});

test("times, sizes and percentiles are formatted as RocketMQ does", (t) => {
  const now = BOOT + (((2 * 24 + 3) * 60 + 4) * 60 + 5) * 1000 + 999;
  const info = new RuntimeInfo(BOOT, BOOT).runtimeInfo(now, {
    ...NONE,
    putMessageTimesTotal: 4,
    putMessageSizeTotal: 1001,
    putMessageEntireTimeMax: 12.7,
    putLatency99Us: 1234.5,
    putLatency999Us: 98_765,
  });
  t.is(info.runtime, "[ 2 days, 3 hours, 4 minutes, 5 seconds ]");
  t.is(info.putMessageAverageSize, "250.25");
  t.is(info.putMessageEntireTimeMax, "12");
  t.is(info.putLatency99, "1.23");
  t.is(info.putLatency999, "98.77");
});
