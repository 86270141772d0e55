import { checkQueueId, checkStoredTopic, checkTopic, isTopicLegal } from "@millrace/format";
import test from "ava";
import { topicIllegality } from "#format/queue-name.js";

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

test("what names no topic is refused with the characters and the length that are allowed", (t) => {
  for (const topic of ["", "t".repeat(128), "a/b", 5, undefined, null, {}]) {
    const message = /^a topic is 1 to 127 of % \| a-z A-Z 0-9 _ - \(255 after %RETRY% or %DLQ%\): problem=\w+ topic=\S+$/;
    t.throws(() => checkTopic(topic), { code: "ERR_TOPIC_ILLEGAL", message }, String(topic));
  }
  t.throws(() => checkTopic("t".repeat(999)), { message: /problem=TOO_LONG topic="t{299}…$/ });
  checkTopic("t".repeat(127));
});

test("a topic that RocketMQ 5 has stored may be longer, but not of other characters", (t) => {
  checkStoredTopic("t".repeat(255));
  for (const topic of ["", "t".repeat(256), `${"t".repeat(200)}/x`, 5]) {
    t.throws(() => checkStoredTopic(topic), { code: "ERR_TOPIC_ILLEGAL" }, String(topic));
  }
});

test("a queue id is an i32 of at least 0", (t) => {
  for (const queueId of [0, 2 ** 31 - 1]) checkQueueId(queueId);
  for (const queueId of [-1, 0.5, 2 ** 31, "0", undefined]) {
    t.throws(() => checkQueueId(queueId), {
      code: "ERR_QUEUE_ILLEGAL",
      message: /^a queue id is an integer from 0 to 2147483647: /,
    });
  }
});
