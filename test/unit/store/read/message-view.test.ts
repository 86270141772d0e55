import test from "ava";
import { MessageView } from "#store/read/message-view.js";
import { CommitLogBuilder } from "../../../support/commit-log-builder.js";
import { FIXTURE_STORES } from "../../../support/fixture-store.js";
import { decodeMessage } from "../../../support/message-decoder.js";
import { chosenSeed, seededRandom } from "../../../support/random.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A view of the first record. */
function viewOf(builder: CommitLogBuilder): MessageView {
  const { offset, length } = builder.records[0] ?? { offset: 0, length: 0 };
  return new MessageView(Buffer.from(builder.image(offset)), offset % builder.segmentSize, length);
}

test("every record that RocketMQ wrote is seen as the decoder sees it", (t) => {
  for (const store of FIXTURE_STORES) {
    for (const put of store.puts) {
      for (const msgId of put.append?.msgIds ?? []) {
        const physicalOffset = Number(`0x${msgId.slice(-16)}`);
        const segment = store.segments.find(
          ({ offset, bytes }) => physicalOffset >= offset && physicalOffset < offset + bytes.length,
        );
        if (segment === undefined || put.name === "props32767") continue;
        const position = physicalOffset - segment.offset;
        const decoded = decodeMessage(segment.bytes, position);
        const view = new MessageView(segment.bytes, position, decoded.size);
        const properties = new Map(decoded.properties);
        properties.delete("__CRC32#");
        t.deepEqual(fieldsOf(view), { ...fieldsOf(decoded), properties }, put.name);
        t.deepEqual(fieldsOf(view.copy()), fieldsOf(view), put.name);
        t.is(view.msgId, msgId);
        t.deepEqual(view.copy().record, segment.bytes.subarray(position, position + decoded.size));
        t.is(view.tags, properties.get("TAGS"));
        t.deepEqual(view.keys, properties.get("KEYS")?.split(" ") ?? []);
        t.is(view.delayTimeLevel, Number(properties.get("DELAY") ?? 0));
      }
    }
  }
});

function fieldsOf(message: MessageView | ReturnType<typeof decodeMessage>): object {
  const { size, topic, queueId, queueOffset, physicalOffset, msgId, flag, sysFlag, transactionType, bornTimestamp } = message;
  const { bornHost, storeTimestamp, storeHost, reconsumeTimes, preparedTransactionOffset, body, properties } = message;
  const first = { size, topic, queueId, queueOffset, physicalOffset, msgId, flag, sysFlag, transactionType, bornTimestamp };
  const bytes = Buffer.from(body).toString("hex");
  return { ...first, bornHost, storeTimestamp, storeHost, reconsumeTimes, preparedTransactionOffset, bytes, properties };
}

test("single properties are those of the whole map", (t) => {
  const texts = [
    "",
    "TAGS\x01a\x02KEYS\x01k1  k2\x02UNIQ_KEY\x01u\x02DELAY\x013\x02WAIT\x01false\x02",
    "TAGS\x01a\x02TAGS\x01b\x02",
    "TAGS\x01a\x02TAGS\x01\x02",
    "XTAGS\x01a\x02",
    "TAGSX\x01a\x02TAGS\x01ä\x01b\x02KEYS",
    "TAGS\x01last",
    "\x01a\x02TAGS\x02TAGS",
  ];
  for (const properties of texts) {
    const builder = new CommitLogBuilder();
    builder.add({ properties });
    const view = viewOf(builder);
    const all = view.properties;
    for (const name of ["TAGS", "KEYS", "UNIQ_KEY", "DELAY", "WAIT", "None", "", "__CRC32#"]) {
      t.is(view.property(name), all.get(name), JSON.stringify({ properties, name }));
    }
    t.is(view.tags, all.get("TAGS"));
    t.is(view.uniqKey, all.get("UNIQ_KEY"));
    t.is(view.waitStoreMsgOK, all.get("WAIT") !== "false");
    t.false(all.has("__CRC32#"));
  }
  const builder = new CommitLogBuilder();
  builder.add({ properties: texts[1] ?? "" });
  t.deepEqual(viewOf(builder).keys, ["k1", "k2"]);
});

test("a tag is compared as a whole", (t) => {
  const builder = new CommitLogBuilder();
  builder.add({ properties: "TAGS\x01Täg\x02" });
  const view = viewOf(builder);
  t.true(view.hasTag(["x", "Täg"]));
  for (const tag of ["Tä", "Tägg", "T", "täg", ""]) t.false(view.hasTag([tag]), tag);
});

test("a long topic needs two bytes for its length", (t) => {
  const builder = new CommitLogBuilder();
  const topic = "t".repeat(200);
  builder.add({ topic, body: utf8("body"), properties: "TAGS\x01a\x02" });
  const view = viewOf(builder);
  t.is(view.topic, topic);
  t.is(view.tags, "a");
});

test("a copy does not change with the memory it was made of", (t) => {
  const builder = new CommitLogBuilder();
  builder.add({ body: utf8("kept") });
  const { length } = builder.records[0] ?? { length: 0 };
  const memory = Buffer.from(builder.image(0));
  const view = new MessageView(memory, 0, length);
  const copy = view.copy();
  memory.fill(0);
  t.is(Buffer.from(copy.body).toString(), "kept");
  copy.body[0] = 0x4b;
  t.is(Buffer.from(copy.body).toString(), "Kept");
});

test("a view of memory that is gone is empty and never throws", (t) => {
  const builder = new CommitLogBuilder();
  builder.add();
  const { length } = builder.records[0] ?? { length: 0 };
  const memory = Buffer.from(new Uint8Array(builder.image(0)).buffer as ArrayBuffer);
  const view = new MessageView(memory, 0, length);
  t.is(view.size, length);
  structuredClone(memory.buffer, { transfer: [memory.buffer] });
  t.deepEqual(fieldsOf(view), { ...fieldsOf(view.copy()) });
  t.deepEqual(fieldsOf(view), {
    size: 0,
    topic: "",
    queueId: 0,
    queueOffset: 0,
    physicalOffset: 0,
    msgId: "",
    flag: 0,
    sysFlag: 0,
    transactionType: 0,
    bornTimestamp: 0,
    bornHost: { address: "", port: 0 },
    storeTimestamp: 0,
    storeHost: { address: "", port: 0 },
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    bytes: "",
    properties: new Map(),
  });
  t.deepEqual(
    [view.tags, view.keys, view.uniqKey, view.property("TAGS"), view.delayTimeLevel],
    [undefined, [], undefined, undefined, 0],
  );
  t.false(view.hasTag(["TagA"]));
});

test("damaged lengths never make a view throw or read outside its record", (t) => {
  const seed = chosenSeed();
  t.log(`MILLRACE_SEED=${seed}`);
  const random = seededRandom(seed);
  const builder = new CommitLogBuilder();
  builder.add({ body: utf8("inside"), properties: "TAGS\x01a\x02KEYS\x01k\x02" });
  const { length } = builder.records[0] ?? { length: 0 };
  const secret = 0xee;
  for (let round = 0; round < 3000; round++) {
    const memory = Buffer.alloc(4096, secret);
    memory.set(builder.image(0).subarray(0, length), 100);
    for (let n = 0; n < 3; n++) memory[100 + 8 + random(length - 8)] = random(256);
    const view = new MessageView(memory, 100, length);
    t.notThrows(() => [fieldsOf(view), view.tags, view.keys, view.hasTag(["a"]), view.copy().topic]);
    const { body } = view;
    t.true(
      body.length === 0 ||
        (body.byteOffset >= memory.byteOffset + 100 && body.byteOffset + body.length <= memory.byteOffset + 100 + length),
    );
  }
});
