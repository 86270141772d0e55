import { setImmediate } from "node:timers/promises";
import { MillraceError } from "@millrace/format";
import test from "ava";
import type { PostedError } from "#store/produce/producer-handle.js";
import { ProducerTopics } from "#store/produce/producer-topics.js";
import { NO_SLOT } from "#store/put/topic-table.js";

/** What comes from the store's thread. */
const REFUSED: PostedError = { code: "ERR_TOO_MANY_QUEUES", message: "there are too many queues" };

test("a refused slot is heard of by the put that waits for it, and by none that comes later", async (t) => {
  let asked = 0;
  const heard: unknown[] = [];
  let isWaiting = true;
  const topics: ProducerTopics = new ProducerTopics(
    async () => {
      asked++;
      return REFUSED;
    },
    () => {
      if (isWaiting) heard.push(t.throws(() => topics.checkSlot(topics.topic("TopicA"), 0)));
    },
  );
  const topic = topics.topic("TopicA");
  t.is(topics.checkSlot(topic, 0), NO_SLOT);
  t.false(topics.hasSlot(topic, 0));
  await setImmediate();
  t.is(heard.length, 1);
  t.true(heard[0] instanceof MillraceError);

  isWaiting = false; // its time is over
  t.false(topics.hasSlot(topic, 0));
  await setImmediate();
  t.is(topics.checkSlot(topic, 0), NO_SLOT, "another put of the queue is not refused for that");
  t.false(topics.hasSlot(topic, 0));
  t.is(asked, 3);
});
