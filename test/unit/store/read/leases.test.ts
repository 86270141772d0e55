import { existsSync, readFileSync, rmSync } from "node:fs";
import test from "ava";
import { BuiltStore } from "../../../support/built-store.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const QUEUE = { topic: "TopicA", queueId: 0 };

/** Three segments of 4096 bytes, all in queue 0 of TopicA. */
function threeSegments(): CommitLogBuilder {
  const builder = new CommitLogBuilder();
  while (builder.offset < 2 * 4096 + 500) builder.add({ body: Buffer.from(String(builder.records.length)) });
  return builder;
}

function firstOf(builder: CommitLogBuilder, segment: number): number {
  return builder.records.findIndex(({ offset }) => offset >= segment * 4096);
}

function isMapped(path: string): boolean {
  return readFileSync("/proc/self/maps", "utf8").includes(path);
}

test("a lease keeps its segment until it is released, and twice is once", (t) => {
  const builder = threeSegments();
  const store = new BuiltStore(t, builder);
  const { commitLog } = store.reader;
  const first = store.reader.getMessage({ ...QUEUE, queueOffset: 0, maxMessages: 1 });
  const second = store.reader.getMessage({ ...QUEUE, queueOffset: firstOf(builder, 1), maxMessages: 1 });
  t.is(commitLog.heldFrom(), 0);
  first.release();
  first.release();
  t.is(commitLog.heldFrom(), 4096);
  const again = store.reader.getMessage({ ...QUEUE, queueOffset: 0, maxMessages: 1 });
  first.release();
  t.is(commitLog.heldFrom(), 0, "an old result gives no new lease back");
  again[Symbol.dispose]();
  second.release();
  t.is(commitLog.heldFrom(), undefined);
});

test("a segment whose lease is given back twice breaks an invariant: the other lease is not its to end", (t) => {
  const store = new BuiltStore(t, threeSegments());
  using _held = store.reader.getMessage({ ...QUEUE, queueOffset: 0, maxMessages: 1 });
  const segment = store.reader.commitLog.segmentAt(0);
  t.true(segment?.hold());
  segment?.release();
  segment?.release();
  t.throws(() => segment?.release(), { code: "ERR_INVARIANT", message: "a lease was released twice: fromOffset=0" });
  t.is(segment?.holders, 0);
  t.true(segment?.hold(), "what the result gives back");
});

test("a get over two segments holds both", (t) => {
  const builder = threeSegments();
  const store = new BuiltStore(t, builder, { mappedFileSizeConsumeQueue: 20_000 });
  const found = store.reader.getMessage({ ...QUEUE, queueOffset: firstOf(builder, 1) - 2, maxMessages: 4 });
  t.is(found.messages.length, 4);
  t.is(store.reader.commitLog.segmentAt(0)?.holders, 1);
  t.is(store.reader.commitLog.segmentAt(4096)?.holders, 1);
  found.release();
  t.is(store.reader.commitLog.segmentAt(0)?.holders, 0);
  t.is(store.reader.commitLog.segmentAt(4096)?.holders, 0);
});

test("a deleted segment is unmapped at once when nobody holds it, otherwise with the last release", (t) => {
  const builder = threeSegments();
  const store = new BuiltStore(t, builder);
  const held = store.reader.getMessage({ ...QUEUE, queueOffset: firstOf(builder, 1), maxMessages: 1 });
  const other = store.reader.getMessage({ ...QUEUE, queueOffset: firstOf(builder, 1), maxMessages: 1 });
  store.reader.getMessage({ ...QUEUE, queueOffset: 0, maxMessages: 1 }).release();
  t.true(isMapped(store.segmentPath(0)));
  rmSync(store.segmentPath(0));
  rmSync(store.segmentPath(4096));
  store.setMinOffset(2 * 4096);
  store.reader.forgetExpired();
  t.false(isMapped(store.segmentPath(0)));
  t.true(isMapped(store.segmentPath(4096)));
  t.is(text(held.messages[0]?.body ?? Buffer.alloc(0)), String(firstOf(builder, 1)));
  held.release();
  t.true(isMapped(store.segmentPath(4096)));
  other.release();
  t.false(isMapped(store.segmentPath(4096)));
  t.is(held.messages[0]?.size, 0, "a view is valid until its release");
});

test("a lease that is ended by force leaves empty messages, and its release does no harm", (t) => {
  const builder = threeSegments();
  const store = new BuiltStore(t, builder);
  const lost = store.reader.getMessage({ ...QUEUE, queueOffset: 0, maxMessages: 2 });
  const kept = store.reader.getMessage({ ...QUEUE, queueOffset: firstOf(builder, 1), maxMessages: 1 });
  const [view] = lost.messages;
  const body = view?.body ?? Buffer.alloc(0);
  store.setMinOffset(4096);
  store.reader.forgetExpired();
  store.reader.commitLog.releaseByForce(4096);
  t.is(body.length, 0);
  t.deepEqual([view?.size, view?.topic, view?.queueOffset, view?.body.length, view?.properties.size], [0, "", 0, 0, 0]);
  t.deepEqual(
    lost.copyMessages().map(({ size, tags }) => [size, tags]),
    [
      [0, undefined],
      [0, undefined],
    ],
  );
  t.is(store.reader.commitLog.heldFrom(), 4096);
  t.is(text(kept.messages[0]?.body ?? Buffer.alloc(0)), String(firstOf(builder, 1)));
  lost.release();
  kept.release();
});

test("a segment that is held by force no more is mapped again when it is still there", (t) => {
  const store = new BuiltStore(t, threeSegments());
  const lost = store.reader.getMessage({ ...QUEUE, queueOffset: 0, maxMessages: 1 });
  store.reader.commitLog.releaseByForce(4096);
  t.is(lost.messages[0]?.size, 0);
  using found = store.reader.getMessage({ ...QUEUE, queueOffset: 0, maxMessages: 1 });
  t.is(text(found.messages[0]?.body ?? Buffer.alloc(0)), "0");
  lost.release();
  t.is(store.reader.commitLog.heldFrom(), 0);
});

test("copies outlive the lease and the store", (t) => {
  const store = new BuiltStore(t, threeSegments());
  const found = store.reader.getMessage({ ...QUEUE, queueOffset: 0, maxMessages: 3 });
  const copies = found.copyMessages();
  const single = found.messages[1]?.copy();
  store.reader.close();
  t.is(found.messages[0]?.size, 0);
  t.deepEqual(
    copies.map(({ body, queueOffset, tags }) => [text(body), queueOffset, tags]),
    [
      ["0", 0, "TagA"],
      ["1", 1, "TagA"],
      ["2", 2, "TagA"],
    ],
  );
  t.is(text(single?.body ?? Buffer.alloc(0)), "1");
  t.notThrows(() => found.release());
});

test("no descriptor stays open, and close unmaps everything", (t) => {
  const builder = threeSegments();
  const store = new BuiltStore(t, builder);
  for (let n = 0; n < builder.records.length; n++) store.reader.getMessage({ ...QUEUE, queueOffset: n, maxMessages: 1 });
  t.true(isMapped(store.root));
  t.true(existsSync(store.segmentPath(0)));
  store.reader.close();
  store.reader.close();
  t.false(isMapped(store.root));
});

test("a get that fails on the way gives back what it held", (t) => {
  const builder = threeSegments();
  const fault = { operation: "map", path: "commitlog/00000000000000004096", after: 0, times: 1, code: "ENOMEM" } as const;
  const store = new BuiltStore(t, builder, { mappedFileSizeConsumeQueue: 20_000 }, { kind: "faulty", faults: [fault] });
  const request = { ...QUEUE, queueOffset: firstOf(builder, 1) - 2, maxMessages: 4 };
  t.throws(() => store.reader.getMessage(request), { code: "ERR_PATH_UNUSABLE", message: /ENOMEM/ });
  t.is(store.reader.commitLog.heldFrom(), undefined);
  using found = store.reader.getMessage(request);
  t.is(found.messages.length, 4);
});
