import { ControlBlock, durableOffset, endOffset, shownOffset, shownWhen } from "@millrace/shared-memory";
import test from "ava";

function countersWith(words: Parameters<typeof ControlBlock.create>[0]): ControlBlock<"main">["counters"] {
  return ControlBlock.attach(ControlBlock.create(words), "main").counters;
}

test("durable is what the flusher or the appender has forced, whoever has come further", (t) => {
  t.is(durableOffset(countersWith({ flushedOffset: 300, appendForcedOffset: 200 })), 300);
  t.is(durableOffset(countersWith({ flushedOffset: 300, appendForcedOffset: 2 ** 40 })), 2 ** 40);
});

test("the log reaches to what is acknowledged, also before the appender has moved wroteOffset", (t) => {
  t.is(endOffset(countersWith({ wroteOffset: 500, answeredOffset: 501 })), 501);
});

test("what may be shown is in the file with a pool, durable in SYNC_FLUSH, and written otherwise", (t) => {
  const counters = countersWith({ wroteOffset: 400, committedOffset: 100, flushedOffset: 200, appendForcedOffset: 300 });
  const shown = (flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH", transientStorePoolEnable: boolean) =>
    shownOffset(counters, shownWhen({ flushDiskType, transientStorePoolEnable }));
  t.is(shown("ASYNC_FLUSH", false), 400);
  t.is(shown("ASYNC_FLUSH", true), 100);
  t.is(shown("SYNC_FLUSH", false), 300);
  t.is(shown("SYNC_FLUSH", true), 100);
});
