import type { MillraceError, MillraceErrorCode } from "@millrace/format";
import test from "ava";
import { SlaveReports } from "#store/replicate/slave-reports.js";

const END = 10_000;

test("the first report asks for the start, and is no acknowledgement by itself", (t) => {
  const reports = new SlaveReports();
  t.is(reports.start, undefined);
  reports.report(500, 0, END);
  t.is(reports.start, 500);
  t.is(reports.acknowledged, -1);
  reports.report(500, 0, 500);
  t.is(reports.acknowledged, 500);
});

test("a slave with nothing begins where the master's log does", (t) => {
  const reports = new SlaveReports();
  reports.report(0, 4096, END);
  t.is(reports.start, 4096);
  reports.report(0, 4096, 5000);
  reports.report(4096, 4096, 5000);
  t.is(reports.acknowledged, -1, "that it has a file says nothing of what was sent");
  reports.report(5000, 4096, 5000);
  t.is(reports.acknowledged, 5000);
});

test("the start again is no acknowledgement while the slave is being sent what it asked for", (t) => {
  const reports = new SlaveReports();
  reports.report(500, 0, END);
  reports.report(500, 0, 600);
  t.is(reports.acknowledged, -1);
  reports.report(550, 0, 600);
  t.is(reports.acknowledged, 550);
});

const refusals: readonly [string, MillraceErrorCode, readonly [offset: number, sent: number][]][] = [
  ["a first report beyond the end", "ERR_HA_DIVERGED", [[END + 1, END]]],
  ["a first report below the first byte on disk", "ERR_HA_START", [[99, END]]],
  ["a negative first report", "ERR_HA_REPORT", [[-1, END]]],
  ["a number that is not exact", "ERR_HA_REPORT", [[2 ** 60, END]]],
  [
    "a report beyond what was sent",
    "ERR_HA_REPORT",
    [
      [500, END],
      [501, 500],
    ],
  ],
  [
    "a report that goes back",
    "ERR_HA_REPORT",
    [
      [500, END],
      [600, 600],
      [599, 600],
    ],
  ],
  ["a handshake of controller mode, whose first half is a number like any other", "ERR_HA_DIVERGED", [[0x1_0000_0000, END]]],
];

for (const [what, code, reported] of refusals) {
  test(`${what} is refused`, (t) => {
    const reports = new SlaveReports();
    const last = reported.at(-1) as [number, number];
    for (const [offset, sent] of reported.slice(0, -1)) reports.report(offset, 100, sent);
    const before = reports.acknowledged;
    t.is(t.throws<MillraceError>(() => reports.report(last[0], 100, last[1]))?.code, code);
    t.is(reports.acknowledged, before);
  });
}
