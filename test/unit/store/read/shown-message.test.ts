import { inspect } from "node:util";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import test from "ava";
import { MessageView } from "#store/read/message-view.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";

const BODY = Buffer.from([0, 0x41, 0xff]);

function sampleView(): MessageView {
  const builder = new CommitLogBuilder();
  builder.add({});
  builder.add({
    topic: "TopicB",
    queueId: 3,
    body: BODY,
    properties: "TAGS\x01TagB\x02KEYS\x01k1 k2\x02__proto__\x01own\x02__CRC32#\x010\x02",
  });
  const { offset, length } = builder.records[1] ?? { offset: 0, length: 0 };
  return new MessageView(Buffer.from(builder.image(offset)), offset % builder.segmentSize, length);
}

test("a message as plain data has every field, and memory of its own", (t) => {
  const view = sampleView();
  const plain = view.toObject();
  const { body, properties, ...rest } = plain;
  for (const [name, value] of Object.entries(rest)) t.deepEqual(value, view[name as keyof MessageView] as unknown, name);
  t.like(rest, { topic: "TopicB", queueId: 3, tags: "TagB", keys: ["k1", "k2"] });
  t.deepEqual(Object.entries(properties), [...view.properties]);
  t.deepEqual(Object.keys(properties), ["TAGS", "KEYS", "__proto__"]);
  t.deepEqual(Buffer.from(body), BODY);
  t.is(body.buffer.byteLength, BODY.length, "nothing else is cloned with it");
});

test("plain data can be cloned and sent to a thread", (t) => {
  const plain = sampleView().copy().toObject();
  t.deepEqual(structuredClone(plain), plain);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(plain);
  t.deepEqual(receiveMessageOnPort(port2)?.message, plain);
  port1.close();
});

test("JSON has the message, with its body in base64", (t) => {
  const view = sampleView();
  const json = JSON.parse(JSON.stringify({ messages: [view] })).messages[0];
  const { body, ...rest } = view.toObject();
  t.deepEqual(json, JSON.parse(JSON.stringify({ ...rest, body: Buffer.from(body).toString("base64") })));
  t.deepEqual(Buffer.from(json.body, "base64"), BODY);
});

test("console.log shows the message", (t) => {
  const view = sampleView();
  const text = inspect(view);
  t.regex(text, /^MessageView \{\n {2}topic: 'TopicB',\n {2}queueId: 3,\n {2}queueOffset: \d+,\n {2}physicalOffset: \d+,/);
  for (const shown of ["tags: 'TagB'", "keys: [ 'k1', 'k2' ]", "TAGS: 'TagB'", "body: <Buffer 00 41 ff>"])
    t.true(text.includes(shown), shown);
  t.is(inspect({ found: { messages: [view] } }, { depth: 1 }), "{ found: { messages: [Array] } }");
  t.is(inspect({ message: view }, { depth: 0 }), "{ message: [MessageView] }");
});

test("a message whose memory is gone is shown as empty", (t) => {
  const gone = new MessageView(Buffer.alloc(0), 0, 95);
  t.like(gone.toObject(), { topic: "", msgId: "", keys: [], properties: {}, bornHost: { address: "", port: 0 } });
  t.true(inspect(gone).includes("topic: ''"));
  t.is(JSON.parse(JSON.stringify(gone)).body, "");
});
