import { MessageChecker } from "@millrace/format";
import test from "ava";
import { FILLER_LEAST_LENGTH, writeFillerRecords } from "#store/copy/filler-record.js";

const MOST = 4 * 1024 * 1024;

for (const length of [FILLER_LEAST_LENGTH, MOST, MOST + 1, MOST + FILLER_LEAST_LENGTH, 3 * MOST - 1, 3 * MOST + 5]) {
  test(`${length} lost bytes become good records one after another, none longer than a message may be by default`, (t) => {
    const target = new Uint8Array(length);
    const count = writeFillerRecords(target, 1000, 7, 1_700_000_000_000, "lost ");
    t.is(count, Math.ceil(length / MOST));
    const checker = new MessageChecker();
    const view = new DataView(target.buffer);
    let position = 0;
    for (let n = 0; n < count; n++) {
      const size = checker.check(view, target, position, length, 1000 + position, true);
      t.true(size > 0 && size <= MOST, `${size}`);
      t.is(checker.queueOffset, 7 + n);
      position += size;
    }
    t.is(position, length);
  });
}
