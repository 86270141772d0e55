import { RecordCorruptError } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { BODY_OFFSET } from "#format/message-descriptor.js";
import { BuiltStore } from "../../../support/built-store.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { flipBit } from "../../../support/flip-bit.js";

const QUEUE = { topic: "TopicA", queueId: 0 };
const SEGMENT = 4096;
const OPTIONS = { mappedFileSizeConsumeQueue: 2000 };

/** Two full segments and a bit. */
function logOf(propertyCrc = true): CommitLogBuilder {
  const builder = new CommitLogBuilder(SEGMENT, propertyCrc);
  while (builder.offset < 2.2 * SEGMENT) builder.add();
  return builder;
}

function flipBody(store: BuiltStore, offset: number): void {
  flipBit(store.segmentPath(offset - (offset % SEGMENT)), (offset % SEGMENT) + BODY_OFFSET);
}

function corruptAt(t: ExecutionContext, act: () => unknown): RecordCorruptError | undefined {
  const error = t.throws(act, { instanceOf: RecordCorruptError, code: "ERR_RECORD_CORRUPT" });
  return error instanceof RecordCorruptError ? error : undefined;
}

for (const propertyCrc of [true, false]) {
  test(`a get ends before a corrupt record, and throws at it, propertyCrc=${propertyCrc}`, (t) => {
    const builder = logOf(propertyCrc);
    const store = new BuiltStore(t, builder, OPTIONS);
    const { offset = 0, length = 0 } = builder.records[5] ?? {};
    flipBody(store, offset);
    using before = store.reader.getMessage({ ...QUEUE, queueOffset: 0 });
    t.is(before.messages.length, 5);
    t.is(before.nextBeginOffset, 5);
    const error = corruptAt(t, () => store.reader.getMessage({ ...QUEUE, queueOffset: 5 }));
    const reason = propertyCrc ? "BAD_PROPERTY_CRC" : "BAD_BODY_CRC";
    t.like(error, { physicalOffset: offset, size: length, queueOffset: 5, reason });
    using behind = store.reader.getMessage({ ...QUEUE, queueOffset: 6 });
    t.is(behind.messages[0]?.queueOffset, 6);
    t.is(store.reader.stats().corruptRecords, 1, "however often it was met");
  });
}

test("what looks a record up by another name throws at a corrupt one as well", (t) => {
  const builder = logOf();
  const store = new BuiltStore(t, builder, OPTIONS);
  const { offset = 0 } = builder.records[5] ?? {};
  const id = store.reader.lookMessageByOffset(offset)?.msgId ?? "";
  const fresh = new BuiltStore(t, builder, OPTIONS);
  flipBody(fresh, offset);
  const { reader } = fresh;
  for (const act of [
    () => reader.lookMessageByOffset(offset),
    () => reader.lookMessageById(id),
    () => reader.pickupStoreTimestamp(offset),
    () => reader.getMessageStoreTimestamp("TopicA", 0, 5),
    () => reader.getMessageIds("TopicA", 0, 0, 10),
  ]) {
    t.is(corruptAt(t, act)?.physicalOffset, offset);
  }
  t.is(fresh.reader.stats().corruptRecords, 1);
});

test("a search by time goes around a corrupt record", (t) => {
  const builder = logOf();
  for (let at = 0; at < builder.records.length; at++) {
    const store = new BuiltStore(t, builder, OPTIONS);
    flipBody(store, builder.records[at]?.offset ?? 0);
    const end = builder.records.length;
    for (const wanted of [0, 1, 7, end - 1]) {
      const time = builder.records[wanted]?.storeTimestamp ?? 0;
      const found = store.reader.getOffsetInQueueByTime("TopicA", 0, time, "lower");
      t.true(found === wanted || (wanted === at + 1 && found === at), `wanted=${wanted} corrupt=${at} found=${found}`);
    }
  }
});

test("a record that was found good is not checked again while its segment stays mapped", (t) => {
  const builder = logOf();
  const store = new BuiltStore(t, builder, OPTIONS);
  const { offset = 0 } = builder.records[5] ?? {};
  t.truthy(store.reader.lookMessageByOffset(offset));
  flipBody(store, offset);
  t.truthy(store.reader.lookMessageByOffset(offset));
});
