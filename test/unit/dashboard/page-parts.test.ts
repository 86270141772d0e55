import test from "ava";
import { routeBetween } from "#dashboard/page/flow-routes.js";
import { FrameHistory } from "#dashboard/page/frame-history.js";
import { hexRows } from "#dashboard/page/hex-rows.js";
import { segmentCells } from "#dashboard/page/segment-cells.js";
import type { FollowedFrame } from "#dashboard/sample/frame.js";

const SIZE = 1000;

test("the strip shows what is deleted, retained, durable, written and ready, each in its share", (t) => {
  const cells = segmentCells({ min: 3000, durable: 5200, wrote: 5600, ready: 6500 }, SIZE, 20);
  t.deepEqual(
    cells.map(({ kind, count, fromOffset }) => [kind, count, fromOffset]),
    [
      ["deleted", 3, 0],
      ["segment", 1, 3000],
      ["segment", 1, 4000],
      ["segment", 1, 5000],
      ["segment", 1, 6000],
    ],
  );
  const sharesOf = (index: number) => cells[index]?.parts.map(({ part, share }) => [part, Math.round(100 * share)]);
  t.deepEqual(sharesOf(1), [["retained", 100]]);
  t.deepEqual(sharesOf(3), [
    ["durable", 20],
    ["written", 40],
    ["ready", 40],
  ]);
  t.deepEqual(sharesOf(4), [["ready", 50]]);
});

test("a log of many segments fits the strip, and none is left uncounted", (t) => {
  for (const most of [6, 13, 60]) {
    const cells = segmentCells({ min: 7000, durable: 999_500, wrote: 999_900, ready: 1_004_000 }, SIZE, most);
    t.is(cells.length, most);
    t.is(
      cells.reduce((sum, { count }) => sum + count, 0),
      1004,
    );
    t.is(cells.at(-1)?.fromOffset, 1_003_000);
  }
});

test("an empty log is one cell, and what a broker leaves unsaid counts as durable", (t) => {
  t.deepEqual(segmentCells({ min: 0, durable: 0, wrote: 0, ready: 0 }, SIZE, 20), [
    { kind: "segment", count: 1, fromOffset: 0, parts: [] },
  ]);
  t.deepEqual(segmentCells({ min: 0, durable: undefined, wrote: 250, ready: 1000 }, SIZE, 20)[0]?.parts, [
    { part: "durable", share: 0.25 },
    { part: "ready", share: 0.75 },
  ]);
});

test("a hex dump is cut where a field ends, and none of its bytes is missing", (t) => {
  const bytes = Uint8Array.from({ length: 21 }, (_, n) => 0x3c + n);
  const rows = hexRows(bytes, [3, 3, 18, 21], 8);
  t.deepEqual(
    rows.map(({ position }) => position),
    [0, 8, 16],
  );
  t.deepEqual(
    rows.map(({ chunks }) => chunks.map(({ field }) => field)),
    [[0, 2], [2], [2, 3]],
  );
  t.is(
    rows.flatMap(({ chunks }) => chunks.map(({ hex }) => hex)).join(" "),
    Buffer.from(bytes)
      .toString("hex")
      .replace(/(..)(?=.)/g, "$1 "),
  );
  t.is(hexRows(Uint8Array.of(0, 0x41, 0x7f), [3], 8)[0]?.chunks[0]?.text, ".A.");
});

test("lines of the picture go right, step down, go up between rows, or past what lies between", (t) => {
  const box = (left: number, top: number) => ({ left, top, right: left + 100, bottom: top + 50 });
  t.is(routeBetween(box(0, 0), box(130, 0), 0), "M100 25H130");
  t.is(routeBetween(box(0, 0), box(130, 80), 0), "M100 36H115V105H130");
  t.is(routeBetween(box(0, 80), box(0, 0), 0), "M50 80V50");
  t.is(routeBetween(box(20, 0), box(20, 200), 0), "M20 25H13V225H20");
});

test("two minutes are plotted, in the order of their times, also after the clock was set back or ahead", (t) => {
  const history = new FrameHistory();
  const times = (): readonly (number | null)[] => history.columns([])[0];
  const add = (fromMs: number, frames: number): void => {
    for (let n = 0; n < frames; n++) {
      const offsets = { min: 0, durable: 0, wrote: 0, ready: 0 };
      history.add({
        kind: "followed",
        time: fromMs + 250 * n,
        offsets,
        messagesPerSecond: 0,
        bytesPerSecond: 0,
      } satisfies FollowedFrame);
    }
  };
  add(10_000_000, 1000);
  t.is(times().length, 481);
  for (const begin of [10_240_000, 5_000_000, 20_000_000]) {
    add(begin, 1000);
    t.true(times().length <= 481, `frames=${times().length}`);
    t.deepEqual(
      times(),
      [...new Set(times())].sort((a, b) => Number(a) - Number(b)),
      `begin=${begin}`,
    );
  }
});
