import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toPrometheus, toText } from "@millrace/stats";
import { MessageStore } from "@millrace/store";
import test from "ava";
import { message, numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

test.serial("the figures add up to what was put", async (t) => {
  const store = await openStore(t, { flushDiskType: "SYNC_FLUSH" });
  const opened = store.stats();
  t.is(opened.state, "running");
  t.like(opened.put, { messages: 0, bytes: 0, failed: 0, inFlight: 0, waiting: 0, stalls: 0 });
  const puts = Array.from({ length: 300 }, (_, n) => store.putMessage(numbered(n, 500, { topic: `T${n % 2}` })));
  const batches = Array.from({ length: 10 }, () =>
    store.putMessages([message({ topic: "B" }), message({ topic: "B" }), message({ topic: "B" })]),
  );
  t.is(store.stats().put.inFlight, 310);
  const results = await Promise.all([...puts, ...batches]);
  await t.throwsAsync(store.putMessage(message({ topic: "/" })));
  await store.putMessage(message({ sysFlag: 1 << 7 })).catch(() => {});
  const bytes = results.reduce((sum, { appendResult }) => sum + (appendResult?.wroteBytes ?? 0), 0);
  const stats = store.stats();
  t.like(stats.put, { messages: 330, bytes, inFlight: 0, waiting: 0 });
  t.true(stats.put.failed >= 1);
  const [t0, t1, b] = ["T0", "T1", "B"].map((name) => stats.put.topics.find(({ topic }) => topic === name));
  t.deepEqual([t0?.messages, t1?.messages, b?.messages], [150, 150, 30]);
  t.is((t0?.bytes ?? 0) + (t1?.bytes ?? 0) + (b?.bytes ?? 0), bytes);
  const { append, flush, allocate, offsets, latency, ring } = stats;
  t.is(append.messages, 330);
  t.is(append.bytes, offsets.wroteOffset);
  t.is(append.rolls, Math.floor(offsets.wroteOffset / SEGMENT_SIZE));
  t.true(append.groups >= 1 && append.groups <= 310);
  t.true(append.maxGroupMessages * append.groups >= 330);
  t.true(append.rollMaxUs > 0);
  t.deepEqual([offsets.flushedOffset, offsets.committedOffset, flush.bytes], Array(3).fill(offsets.wroteOffset));
  t.true(flush.forces >= 1 && flush.forces === flush.forceUs.count);
  t.is(flush.failures, 0);
  t.deepEqual([latency.putToAppendUs.count, latency.putToAckUs.count], [310, 310], "puts");
  t.is(latency.appendToFlushUs.count, 330, "messages");
  t.true(latency.putToAppendUs.max <= latency.putToAckUs.max);
  t.true(latency.putToAckUs.p50 > 0 && latency.putToAckUs.p99 <= latency.putToAckUs.max);
  t.is(allocate.segmentsReady, Math.floor(offsets.allocatedOffset / SEGMENT_SIZE) - Math.floor(offsets.wroteOffset / SEGMENT_SIZE));
  t.true(allocate.segments >= append.rolls + 1);
  t.deepEqual([ring.usedBytes, ring.usedFrames], [0, 0]);
  t.deepEqual(
    stats.services.map(({ name }) => name),
    ["append", "flush", "dispatch", "allocate"],
  );
  t.true(stats.services.every(({ state }) => state === "running" || state === "waiting"));
  await until(() => store.stats().services.every(({ heartbeatAgeMs }) => heartbeatAgeMs < 2000));
});

test.serial("RocketMQ's runtime figures, Prometheus and text say the same", async (t) => {
  const store = await openStore(t, { warmMapedFileEnable: true });
  await Promise.all(Array.from({ length: 50 }, (_, n) => store.putMessage(numbered(n))));
  const stats = store.stats();
  t.like(stats.runtimeInfo, {
    putMessageTimesTotal: "50",
    putMessageSizeTotal: String(stats.put.bytes),
    commitLogMaxOffset: String(store.maxPhysicalOffset),
    commitLogMinOffset: "0",
  });
  t.regex(stats.runtimeInfo.commitLogDiskRatio ?? "", /^[01](\.\d+)?$/);
  t.true(stats.allocate.lockedBytes > 0 || stats.allocate.lockFailures > 0);
  const page = toPrometheus(stats);
  t.true(page.includes("\nmillrace_put_messages_total 50\n"));
  t.true(page.includes('\nmillrace_store_state{state="running"} 1\n'));
  t.true(page.includes(`\nmillrace_wrote_offset_bytes ${store.maxPhysicalOffset}\n`));
  t.true(page.includes('\nmillrace_topic_put_messages_total{topic="TopicA"} 50\n'));
  t.regex(toText(stats), /^put +messages 50 /m);
  await store.close();
  t.is(store.stats().state, "closed");
  t.true(store.stats().services.every(({ state }) => state === "stopped"));
});

test.serial("who lags is in the stats, of the store and of a reader beside it, and in text and Prometheus' format", async (t) => {
  const store = await openStore(t);
  for (let n = 0; n < 10; n++) await store.putMessage(numbered(n, 20, { queueId: n % 2 }));
  await dispatchedAll(store);
  store.consumerOffsets.commit("billing", "TopicA", 0, 4);
  store.consumerOffsets.commit("billing", "TopicA", 1, 2);
  store.consumerOffsets.commit("audit", "TopicA", 0, 5);
  const consumers = {
    groupCount: 2,
    groups: [
      { group: "billing", queues: 2, lag: 4 },
      { group: "audit", queues: 1, lag: 0 },
    ],
  };
  const stats = store.stats();
  t.deepEqual(stats.consumers, consumers);
  t.true(toPrometheus(stats).includes('\nmillrace_consumer_group_lag_messages{group="billing"} 4\n'));
  t.regex(toText(stats), /^group +billing {2}lags 4 messages in 2 queues$/m);
  await store.consumerOffsets.persist();
  await using reader = await MessageStore.openReadOnly(store.config.storePathRootDir);
  await until(() => reader.stats().consumers?.groups[0]?.lag === 4);
  t.deepEqual(reader.stats().consumers, consumers);
  t.deepEqual(reader.consumerOffsets.committed("audit"), [{ topic: "TopicA", queueId: 0, offset: 5 }]);
  await store.close();
  const config = join(store.config.storePathRootDir, "config");
  for (const name of readdirSync(config)) writeFileSync(join(config, name), "damaged");
  await using late = await MessageStore.openReadOnly(store.config.storePathRootDir);
  t.is(late.stats().consumers, undefined);
  t.is(late.stats().abort, undefined);
  t.is(late.flushedOffset, store.flushedOffset);
});
