import { APPEND_MARKS_LENGTH, AppendMarks } from "@millrace/shared-memory";
import test from "ava";

/** A writer and a reader of the same marks; each group is 10 bytes, one message, and left at its own number in microseconds. */
function bothEnds(): { leave: (count: number) => number; collect: (offset: number) => number[] } {
  const buffer = new SharedArrayBuffer(APPEND_MARKS_LENGTH);
  const [writer, reader] = [new AppendMarks(buffer), new AppendMarks(buffer)];
  let groups = 0;
  return {
    leave: (count) => {
      for (let i = 0; i < count; i++, groups++) writer.leave(groups, (groups + 1) * 10, groups, 1);
      return groups;
    },
    collect: (offset) => {
      const seen: number[] = [];
      reader.collect(groups, offset, (us, messages) => seen.push(us * messages));
      return seen;
    },
  };
}

test("each mark is handed out once, when its offset has been reached", (t) => {
  const { leave, collect } = bothEnds();
  leave(4);
  t.deepEqual(collect(9), []);
  t.deepEqual(collect(25), [0, 1]);
  t.deepEqual(collect(25), []);
  leave(1);
  t.deepEqual(collect(50), [2, 3, 4]);
});

test("a reader that lags loses the oldest marks, never gets one twice, and blocks nobody", (t) => {
  const { leave, collect } = bothEnds();
  const groups = leave(10_000);
  const seen = collect(groups * 10);
  t.is(seen.at(-1), groups - 1);
  t.true(seen.length >= 1000 && seen.length < 4096);
  t.deepEqual(
    seen,
    seen.map((_, i) => groups - seen.length + i),
  );
  leave(3);
  t.deepEqual(collect((groups + 3) * 10), [groups, groups + 1, groups + 2]);
});
