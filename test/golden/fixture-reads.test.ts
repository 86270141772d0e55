import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, int32At } from "@millrace/format";
import { KernelMemory } from "@millrace/kernels";
import { createStorage } from "@millrace/mapped-file";
import { allocateQueueTable, ControlBlock, initializeQueues, QueueTableWriter } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { TopicTable } from "#store/put/topic-table.js";
import { MessageReader } from "#store/read/message-reader.js";
import { FIXTURE_STORES, FIXTURES_DIRECTORY, type FixtureStore } from "../support/fixture-store.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const CONSUME_QUEUE_FILE = 200;
const GET_LINE = /^get (\S+) (\S+) next=(\d+)(?: min=(\d+) max=(\d+) n=(\d+) size=(\d+))?$/gm;

function linesOf(fixture: FixtureStore): string {
  return readFileSync(join(FIXTURES_DIRECTORY, `${fixture.name}.out`), "utf8");
}

/** A reader of a copy of the directory, with RocketMQ's own ConsumeQueues. */
function readerOf(t: ExecutionContext, fixture: FixtureStore): MessageReader {
  const root = temporaryDirectory(t);
  cpSync(join(FIXTURES_DIRECTORY, fixture.name), root, { recursive: true });
  const config = resolveConfig({
    storePathRootDir: root,
    mappedFileSizeCommitLog: 4096,
    mappedFileSizeConsumeQueue: CONSUME_QUEUE_FILE,
  });
  const end = Number(/^maxphy (\d+) /m.exec(linesOf(fixture))?.[1]);
  const control = ControlBlock.attach(ControlBlock.create({ wroteOffset: end, reputFromOffset: end }), "main");
  const queues = allocateQueueTable(new KernelMemory());
  const initialize = initializeQueues(queues);
  const topics = new TopicTable(new QueueTableWriter(queues, control.counters.queueSlots));
  for (const topic of readdirSync(join(root, "consumequeue"))) {
    for (const queueId of readdirSync(join(root, "consumequeue", topic))) {
      const units = readFileSync(join(root, "consumequeue", topic, queueId, "0".repeat(20)));
      let count = 0;
      while (count * CONSUME_QUEUE_UNIT_LENGTH < units.length && int32At(units, count * CONSUME_QUEUE_UNIT_LENGTH + 8) > 0) count++;
      const slot = topics.slot(topics.recovered(topic), Number(queueId));
      initialize(slot, { maxQueueOffsets: count, nextQueueOffsets: count });
    }
  }
  const reader = new MessageReader(createStorage({ kind: "real" }), config, control, queues, topics);
  t.teardown(() => reader.close());
  return reader;
}

for (const fixture of FIXTURE_STORES) {
  test(`every get of RocketMQ is answered as it was: ${fixture.name}`, (t) => {
    const reader = readerOf(t, fixture);
    const lines = [...linesOf(fixture).matchAll(GET_LINE)];
    t.is(lines.length, 9);
    for (const [line, what, status, next, ...rest] of lines) {
      const topic = what === "notopic" ? "notopic" : "TopicA";
      using found = reader.getMessage({ topic, queueId: 0, queueOffset: what === "notopic" ? 0 : Number(what) });
      const { minOffset, maxOffset, messages, bufferTotalSize } = found;
      t.deepEqual([found.status, found.nextBeginOffset], [status, Number(next)], line);
      if (rest[0] === undefined) continue;
      t.deepEqual([minOffset, maxOffset, messages.length, bufferTotalSize], rest.map(Number), line);
    }
  });

  test(`every message of RocketMQ is found by its id and by its queue offset: ${fixture.name}`, (t) => {
    const reader = readerOf(t, fixture);
    let count = 0;
    for (const { name, append } of fixture.puts) {
      for (const [n, msgId] of (append?.msgIds ?? []).entries()) {
        if (name === "props32767") continue;
        count++;
        const message = reader.lookMessageById(msgId);
        t.is(message?.msgId, msgId, name);
        t.is(message?.queueOffset, (append?.queueOffset ?? 0) + n, name);
        if (message === undefined || name === "prepared" || name === "rollback") continue;
        const { topic, queueId, queueOffset, storeTimestamp } = message;
        using found = reader.getMessage({ topic, queueId, queueOffset, maxMessages: 1 });
        t.is(found.messages[0]?.msgId, msgId, name);
        t.is(reader.getMessageStoreTimestamp(topic, queueId, queueOffset), storeTimestamp);
      }
    }
    t.true(count >= 14);
    const committed = reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 0, filter: { tags: ["TagB"] } });
    t.deepEqual(
      committed.messages.map(({ body, preparedTransactionOffset }) => [Buffer.from(body).toString(), preparedTransactionOffset]),
      [["commit", 77]],
    );
    committed.release();
    const ids = reader.getMessageIds("TopicB", 1, 0, 100);
    t.deepEqual([...ids.keys()], fixture.puts.find(({ name }) => name === "batch")?.append?.msgIds);
  });
}

test("topics longer than are put here are read", (t) => {
  const [, fixture] = FIXTURE_STORES;
  if (fixture === undefined) return t.fail();
  const reader = readerOf(t, fixture);
  const long = "t".repeat(128);
  t.true(reader.topics(true).includes(long));
  using found = reader.getMessage({ topic: long, queueId: 0, queueOffset: 0 });
  t.is(found.messages[0]?.topic, long);
});
