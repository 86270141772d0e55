import {
  consumeQueueDirectory,
  defaultStorePathRootDir,
  isTopicLegal,
  parseSegmentFileName,
  segmentFileName,
  storePaths,
  topicIllegality,
} from "@millrace/format";
import test from "ava";

test("a store directory is laid out as RocketMQ's", (t) => {
  const paths = storePaths("/data");
  t.is(paths.commitLog, "/data/commitlog");
  t.is(storePaths("/data", "/fast").commitLog, "/fast");
  t.is(paths.checkpoint, "/data/checkpoint");
  t.is(paths.delayOffset, "/data/config/delayOffset.json");
  t.is(paths.consumerOffset, "/data/config/consumerOffset.json");
  t.is(paths.fence, "/data/millrace.fence");
  t.is(defaultStorePathRootDir("/home/me"), "/home/me/store");
  t.is(consumeQueueDirectory(paths, "TopicA", 3), "/data/consumequeue/TopicA/3");
});

test("a queue's directory is only built for a legal topic and queue id", (t) => {
  const paths = storePaths("/data");
  t.throws(() => consumeQueueDirectory(paths, "../x", 0), { code: "ERR_TOPIC_ILLEGAL", message: /topic="\.\.\/x"$/ });
  for (const queueId of [-1, 0.5, Number.NaN]) {
    t.throws(() => consumeQueueDirectory(paths, "TopicA", queueId), { code: "ERR_QUEUE_ID_ILLEGAL" });
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

test("topics of RocketMQ's characters are legal", (t) => {
  for (const topic of ["TopicA", "%LMQ%a|b", "a-b_c", "t".repeat(127), `%RETRY%${"g".repeat(248)}`, `%DLQ%${"g".repeat(250)}`]) {
    t.true(isTopicLegal(topic), topic);
  }
});

test("topics that are empty, too long, or could mean something in a path are not", (t) => {
  t.is(topicIllegality(""), "EMPTY");
  t.is(topicIllegality("t".repeat(128)), "TOO_LONG");
  t.is(topicIllegality(`%RETRY%${"g".repeat(249)}`), "TOO_LONG");
  for (const topic of [".", "..", "../x", "a/b", "a\\b", "a\0", "a b", "a\n", "тема", "a.b", "a:b", "%RETRY%../x"]) {
    t.is(topicIllegality(topic), "ILLEGAL_CHARACTER", JSON.stringify(topic));
  }
});
