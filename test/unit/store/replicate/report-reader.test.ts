import test from "ava";
import { ReportReader } from "#store/replicate/report-reader.js";
import { HA_CAPTURES, haCapture } from "../../../support/ha-capture.js";

test("reports are read however they are split", (t) => {
  for (const name of HA_CAPTURES) {
    const reports = haCapture(name).filter((event) => event.kind === "report");
    const bytes = Buffer.concat(reports.map((report) => report.bytes));
    for (let length = 1; length <= 17; length++) {
      const reader = new ReportReader();
      const offsets: number[] = [];
      for (let i = 0; i < bytes.length; i += length) reader.push(bytes.subarray(i, i + length), (offset) => offsets.push(offset));
      t.deepEqual(
        offsets,
        reports.map(({ offset }) => offset),
        `${name}, ${length}`,
      );
    }
  }
});
