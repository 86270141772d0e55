import { SCHEDULE_TOPIC } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { DelayOffsets } from "#store/broker/delay/delay-offsets.js";
import { UndoneDeliveries } from "#store/broker/delay/undone-deliveries.js";
import { MessageView } from "#store/read/message-view.js";
import { CommitLogBuilder, type RecordContent } from "../../../../support/commit-log-builder.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

const REAL = "REAL_TOPIC\x01TopicA\x02REAL_QID\x013\x02";

interface Undoing {
  readonly undone: UndoneDeliveries;
  readonly offsets: DelayOffsets;
  delayed(level: number, body: string, properties?: string): MessageView;
  delivered(body: string, changes?: RecordContent): MessageView;
}

/** Levels 1 and 2 have delivered three messages each. */
function undoing(t: ExecutionContext): Undoing {
  const offsets = DelayOffsets.open(createStorage({ kind: "real" }), `${temporaryDirectory(t)}/delayOffset.json`);
  for (const level of [1, 2]) offsets.set(level, 3);
  const builder = new CommitLogBuilder(64 * 1024);
  const viewOf = (content: RecordContent): MessageView => {
    const { offset, length } = builder.add(content);
    return new MessageView(Buffer.from((builder.segments.get(0) as Uint8Array).buffer), offset, length);
  };
  return {
    undone: new UndoneDeliveries(offsets),
    offsets,
    delayed: (level, text, properties = "TAGS\x01T\x02") => {
      const all = `DELAY\x01${level}\x02WAIT\x01true\x02${properties}${REAL}`;
      return viewOf({ topic: SCHEDULE_TOPIC, queueId: level - 1, body: Buffer.from(text), properties: all });
    },
    delivered: (text, changes) =>
      viewOf({ queueId: 3, body: Buffer.from(text), properties: `${REAL}TAGS\x01T\x02WAIT\x01false\x02`, ...changes }),
  };
}

test("a delivered message is told by all that it has in common with the delayed one", (t) => {
  const { undone, offsets, delayed, delivered } = undoing(t);
  const kept = [delayed(1, "a"), delayed(1, "b", "TAGS\x01Other\x02"), delayed(1, "b"), delayed(2, "c"), delayed(2, "d")];
  undone.cut(delivered("b"));
  undone.cut(delivered("d", { topic: "TopicB" })); // put by a consumer, with the properties that it had
  undone.cut(delivered("d", { queueId: 0 }));
  for (const record of kept) undone.kept(record);
  undone.setBack();
  t.deepEqual([offsets.get(1), offsets.get(2)], [2, 3]);
});

test("of messages that are the same as many count as undelivered as were, the longest delayed and newest first", (t) => {
  for (const [count, expected] of [
    [1, [3, 1]],
    [2, [3, 0]],
    [3, [2, 0]],
    [9, [0, 0]],
  ] as const) {
    const { undone, offsets, delayed, delivered } = undoing(t);
    const kept = [delayed(2, "x"), delayed(1, "x"), delayed(2, "x"), delayed(1, "y"), delayed(1, "x")];
    for (let i = 0; i < count; i++) undone.cut(delivered("x"));
    for (const record of kept) undone.kept(record);
    undone.setBack();
    t.deepEqual([offsets.get(1), offsets.get(2)], expected, String(count));
  }
});

test("a delayed message that is cut itself, or was not known to be delivered, moves no offset of another one", (t) => {
  const { undone, offsets, delayed, delivered } = undoing(t);
  const kept = [delayed(1, "x"), delayed(1, "y"), delayed(1, "z"), delayed(1, "not yet")];
  for (const record of [delayed(2, "new"), delivered("new"), delivered("not yet")]) undone.cut(record);
  for (const record of kept) undone.kept(record);
  undone.setBack();
  t.is(offsets.get(1), 3);
});

test("what is delivered is sought until it is found, and a minute before that for others that are the same", (t) => {
  const { undone, delayed, delivered } = undoing(t);
  t.true(undone.isSettled(Infinity), "nothing is cut");
  const kept = delayed(1, "x");
  undone.cut(delayed(2, "never delivered"));
  t.true(undone.isSettled(Infinity), "nothing that was delivered");
  undone.cut(delivered("x"));
  t.false(undone.isSettled(0));
  undone.kept(kept);
  t.false(undone.isSettled(kept.storeTimestamp - 60_000));
  t.true(undone.isSettled(kept.storeTimestamp - 60_001));
});
