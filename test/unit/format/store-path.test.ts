import { consumeQueueDirectory, parseSegmentFileName, segmentFileName, storePaths } from "@millrace/format";
import test from "ava";

test("a store directory is laid out as RocketMQ's", (t) => {
  const paths = storePaths("/data");
  t.is(paths.commitLog, "/data/commitlog");
  t.is(storePaths("/data", "/fast").commitLog, "/fast");
  t.is(paths.checkpoint, "/data/checkpoint");
  t.is(paths.delayOffset, "/data/config/delayOffset.json");
  t.is(paths.consumerOffset, "/data/config/consumerOffset.json");
  t.is(paths.fence, "/data/millrace.fence");
  t.is(storePaths("/data", "/fast/log").logFence, "/fast/log.millrace.fence");
  t.is(consumeQueueDirectory(paths, "TopicA", 3), "/data/consumequeue/TopicA/3");
});

test("a queue's directory is only built for a legal topic and queue id", (t) => {
  const paths = storePaths("/data");
  t.throws(() => consumeQueueDirectory(paths, "../x", 0), { code: "ERR_TOPIC_ILLEGAL", message: /topic="\.\.\/x"$/ });
  for (const queueId of [-1, 0.5, Number.NaN, 2 ** 31]) {
    t.throws(() => consumeQueueDirectory(paths, "TopicA", queueId), { code: "ERR_QUEUE_ILLEGAL" });
  }
});

test("segment names have 20 digits and read back", (t) => {
  for (const offset of [0, 4096, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    t.is(segmentFileName(offset).length, 20);
    t.is(parseSegmentFileName(segmentFileName(offset)), offset);
  }
  t.is(segmentFileName(4096), "00000000000000004096");
  for (const offset of [-1, 0.5, 2 ** 53]) t.throws(() => segmentFileName(offset), { code: "ERR_OFFSET_ILLEGAL" });
});

test("no other name is taken for a segment", (t) => {
  const names = [
    "",
    "0",
    "0000000000000000409",
    "000000000000000004096",
    "0000000000000000409x",
    "-0000000000000004096",
    "00000000000000004096.tmp",
    "00000000000000004096\n",
    " 0000000000000004096",
    "99999999999999999999",
    "+0000000000000004096",
  ];
  for (const name of names) t.is(parseSegmentFileName(name), undefined, JSON.stringify(name));
});
