import test from "ava";
import { MessageContent } from "#scripts/load-generator/message-content.js";

const OPTIONS = { topic: "T", topics: 2, queues: 3, tags: 4, keyEnable: true, messageSize: 32, batchSize: 2 };

function bodyOf(content: MessageContent, number: number): Uint8Array {
  const messages = content.allocate();
  content.fill(messages, Math.floor(number / content.batchSize));
  return messages[number % content.batchSize]?.body as Uint8Array;
}

test("content depends on the number alone, however messages were used before", (t) => {
  const one = new MessageContent(OPTIONS);
  const messages = one.allocate();
  for (const unit of [9, 70_000, 3]) one.fill(messages, unit);
  const fresh = new MessageContent(OPTIONS).allocate();
  new MessageContent(OPTIONS).fill(fresh, 3);
  t.deepEqual(messages, fresh);
  t.like(messages[1], { topic: "T_1", queueId: 1, tags: "Tag3", keys: "Key7" });
});

test("units go round all queues of all topics", (t) => {
  const content = new MessageContent(OPTIONS);
  const lanes = new Set(Array.from({ length: 6 }, (_, unit) => `${content.topicOf(unit)} ${content.queueIdOf(unit)}`));
  t.deepEqual([...lanes].sort(), ["T_0 0", "T_0 1", "T_0 2", "T_1 0", "T_1 1", "T_1 2"]);
});

test("a body matches its own number and no other, at every byte", (t) => {
  const content = new MessageContent(OPTIONS);
  for (const number of [0, 1, 255, 256, 65_537, 2 ** 31 + 1, 2 ** 32 + 5, 2 ** 40 + 3]) {
    const body = bodyOf(content, number);
    t.true(content.bodyMatches(number, body, 0, body.length), String(number));
    t.false(content.bodyMatches(number + 1, body, 0, body.length));
    t.false(content.bodyMatches(number + 2 ** 32, body, 0, body.length));
    for (let i = 0; i < body.length; i++) {
      const damaged = Uint8Array.from(body);
      damaged[i] = (damaged[i] as number) ^ 1;
      t.false(content.bodyMatches(number, damaged, 0, damaged.length));
    }
  }
});

test("a body is found at a position inside other bytes, and a shorter or longer one is none", (t) => {
  const content = new MessageContent(OPTIONS);
  const bytes = Buffer.concat([Buffer.alloc(5), bodyOf(content, 77), Buffer.alloc(5)]);
  t.true(content.bodyMatches(77, bytes, 5, 32));
  t.false(content.bodyMatches(77, bytes, 4, 32));
  t.false(content.bodyMatches(77, bytes, 5, 31));
});

test("a body says its number, and none when its stamps disagree or it has another length", (t) => {
  for (const messageSize of [8, 15, 16, 32]) {
    const content = new MessageContent({ ...OPTIONS, messageSize });
    for (const number of [0, 1, 255, 256, 65_537, 2 ** 31 + 1, 2 ** 32 + 5, 2 ** 40 + 3]) {
      const body = bodyOf(content, number);
      t.is(content.numberOf(body), number, `messageSize=${messageSize}`);
      t.is(content.numberOf(body.subarray(1)), -1);
      if (messageSize < 16) continue;
      body[messageSize - 1] = (body[messageSize - 1] as number) ^ 1;
      t.is(content.numberOf(body), -1);
    }
  }
  const small = new MessageContent({ ...OPTIONS, messageSize: 7 });
  t.is(small.numberOf(bodyOf(small, 5)), -1);
});
