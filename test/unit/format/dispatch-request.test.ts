import type { MessageFields } from "@millrace/format";
import {
  encodeHost,
  MAGIC_OFFSET,
  MESSAGE_BASE_LENGTH,
  MessageChecker,
  MessageVerdict,
  PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX,
  SYS_FLAG_TRANSACTION_MASK,
  tagsCode,
} from "@millrace/format";
import test, { type ExecutionContext } from "ava";
import { DispatchRequest, hashOf } from "#format/dispatch-request.js";
import { javaStringHash } from "#format/java-hash.js";
import { ANY_PHYSICAL_OFFSET } from "#format/message-checker.js";
import {
  BODY_LENGTH_OFFSET,
  BODY_OFFSET,
  MESSAGE_MAGIC_V1,
  MESSAGE_MAGIC_V2,
  SYS_FLAG_OFFSET,
} from "#format/message-descriptor.js";
import type { DecodedMessage } from "../../support/message-decoder.js";
import { decodeMessage } from "../../support/message-decoder.js";
import { encodeProperties } from "../../support/property-string.js";
import { chosenSeed, seededRandom } from "../../support/random.js";
import { sampleMessage, sealedRecord, viewOf } from "../../support/sample-message.js";

const HOSTS = [encodeHost({ address: "10.1.2.3", port: 65535 }), encodeHost({ address: "2001:db8::1", port: 0 })];
const TOPICS = ["T", "t".repeat(127), "t".repeat(128), "ключ"].map((topic) => Buffer.from(topic));
const BODIES = [Buffer.alloc(0), Buffer.from("TAGS\u0001body\u0002"), Buffer.alloc(3000, 0xff)];
const PAIRS = [
  ["KEYS", "K1 K2"],
  ["ключ", "TAGS"],
  [PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX, "C0A80001"],
  ["DELAY", "3"],
  ["TAGS", "TagA || Ünïcode 😀"],
] as const;
const PROPERTIES = [Buffer.alloc(0), encodeProperties(PAIRS, true), encodeProperties(PAIRS, false)];
const SYS_FLAGS = [0, 4, 8, 12, 1];

function* combinations(): Iterable<MessageFields> {
  let n = 0;
  for (const bornHost of HOSTS)
    for (const storeHost of HOSTS)
      for (const topic of TOPICS)
        for (const body of BODIES)
          for (const properties of PROPERTIES) {
            const sysFlag = SYS_FLAGS[n++ % SYS_FLAGS.length] as number;
            yield sampleMessage({ bornHost, storeHost, topic, body, properties, propertiesLength: properties.length, sysFlag });
          }
}

function fieldsOf(request: DispatchRequest): object {
  const { commitLogOffset, msgSize, queueId, consumeQueueOffset, sysFlag, transactionType, storeTimestamp } = request;
  const { preparedTransactionOffset, topic, keys, uniqKey, delayTimeLevel, properties } = request;
  return {
    ...{ commitLogOffset, msgSize, queueId, consumeQueueOffset, sysFlag, transactionType, storeTimestamp },
    ...{ preparedTransactionOffset, topic, keys, uniqKey, delayTimeLevel, tagsCode: request.tagsCode, properties },
  };
}

/** The same, from the record as it is decoded. */
function expectedOf(message: DecodedMessage): object {
  const { properties } = message;
  return {
    commitLogOffset: message.physicalOffset,
    msgSize: message.size,
    queueId: message.queueId,
    consumeQueueOffset: message.queueOffset,
    sysFlag: message.sysFlag,
    transactionType: message.sysFlag & SYS_FLAG_TRANSACTION_MASK,
    storeTimestamp: message.storeTimestamp,
    preparedTransactionOffset: message.preparedTransactionOffset,
    topic: message.topic,
    keys: properties.get("KEYS"),
    uniqKey: properties.get(PROPERTY_UNIQ_CLIENT_MESSAGE_ID_KEYIDX),
    delayTimeLevel: Number(properties.get("DELAY") ?? 0),
    tagsCode: tagsCode(properties.get("TAGS")),
    properties,
  };
}

/** Reads the record with other bytes around it: what it says may not depend on them. */
function readWithin(t: ExecutionContext, record: Uint8Array): DispatchRequest | undefined {
  const answers = [0, 1, 0xff].map((around) => {
    const bytes = Buffer.concat([Buffer.alloc(7, around), record, Buffer.alloc(300, around)]);
    const request = new DispatchRequest();
    return request.read(bytes, 7, record.length) ? request : undefined;
  });
  const [first] = answers;
  for (const other of answers) {
    t.is(other === undefined, first === undefined);
    if (first !== undefined && other !== undefined) t.deepEqual(fieldsOf(other), fieldsOf(first));
  }
  const alone = new DispatchRequest();
  t.is(alone.read(record, 0, record.length), first !== undefined);
  return first;
}

for (const appendPropertyCrc of [false, true]) {
  test(`every field of every kind of record is what decoding finds, property CRC ${appendPropertyCrc ? "on" : "off"}`, (t) => {
    const request = new DispatchRequest();
    const magics = new Set<number>();
    for (const message of combinations()) {
      const record = sealedRecord(message, appendPropertyCrc, 5);
      const decoded = decodeMessage(record, 5);
      magics.add(decoded.magic);
      t.true(request.read(record, 5, record.length - 5));
      t.deepEqual(fieldsOf(request), expectedOf(decoded));
    }
    t.deepEqual(magics, new Set([MESSAGE_MAGIC_V1, MESSAGE_MAGIC_V2]));
  });
}

/** Property strings as no encoder of ours writes them. */
const STRANGE_PROPERTIES: Record<string, string> = {
  "a name twice: the last wins": "TAGS\u0001a\u0002TAGS\u0001b\u0002KEYS\u0001k\u0002KEYS\u0001l\u0002",
  "a name twice, the last without a value: it is passed over": "TAGS\u0001a\u0002TAGS\u0001\u0002KEYS\u0001k\u0002KEYS\u0001",
  "a value that is empty": "TAGS\u0001\u0002KEYS\u0001\u0002DELAY\u0001\u0002UNIQ_KEY\u0001\u0002",
  "a name without separator": "TAGS\u0002KEYS\u0002DELAY",
  "a name without separator at the end": "KEYS\u0001k\u0002TAGS",
  "a name with separator at the end": "KEYS\u0001k\u0002TAGS\u0001",
  "an empty name": "\u0001a\u0002TAGS\u0001b",
  "only separators": "\u0002\u0002\u0001\u0002\u0001\u0001\u0002",
  "a separator in the value": "TAGS\u0001a\u0001b\u0002KEYS\u0001\u0001",
  "names that begin or end alike":
    "TAGSX\u0001a\u0002XTAGS\u0001b\u0002TAG\u0001c\u0002KEY\u0001d\u0002tags\u0001e\u0002DELAX\u0001f\u0002UNIQ_KEX\u0001g",
  "a value with the name of a property": "a\u0001TAGS\u0002b\u0001KEYS",
  "a byte order mark": "TAGS\u0001\ufeffa\u0002KEYS\u0001\ufeffk",
  "half a surrogate pair": "TAGS\u0001\ud83d\u0002KEYS\u0001\ude00",
};

for (const [what, text] of Object.entries(STRANGE_PROPERTIES)) {
  test(`properties are found as Java's parser finds them: ${what}`, (t) => {
    const properties = Buffer.from(text);
    const record = sealedRecord(sampleMessage({ properties, propertiesLength: properties.length }), false);
    const request = readWithin(t, record);
    t.deepEqual(request && fieldsOf(request), expectedOf(decodeMessage(record)));
  });
}

test("properties of random bytes are found as Java's parser finds them", (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const parts = ["TAGS", "KEYS", "DELAY", "UNIQ_KEY", "\u0001", "\u0001", "\u0002", "\u0002", "a", "ü", "😀"].map((part) =>
    Buffer.from(part),
  );
  for (let round = 0; round < 3000; round++) {
    const pieces = Array.from({ length: random(14) }, () => parts[random(parts.length)] as Buffer);
    if (random(4) === 0) pieces.push(Buffer.from([random(256), random(256)]));
    const properties = Buffer.concat(pieces);
    const record = sealedRecord(sampleMessage({ properties, propertiesLength: properties.length }), false);
    const expected = expectedOf(decodeMessage(record)) as { delayTimeLevel: number };
    const request = new DispatchRequest();
    t.true(request.read(record, 0, record.length));
    if (!Number.isInteger(expected.delayTimeLevel)) expected.delayTimeLevel = 0;
    t.deepEqual(fieldsOf(request), expected, JSON.stringify(properties.toString("latin1")));
  }
});

test("what one record said is forgotten with the next", (t) => {
  const request = new DispatchRequest();
  const full = sealedRecord(
    sampleMessage({ properties: PROPERTIES[1] as Buffer, propertiesLength: PROPERTIES[1]?.length ?? 0 }),
    false,
  );
  const bare = sealedRecord(sampleMessage({ properties: Buffer.alloc(0), propertiesLength: 0 }), false);
  for (const record of [full, bare, full]) {
    t.true(request.read(record, 0, record.length));
    t.deepEqual(fieldsOf(request), expectedOf(decodeMessage(record)));
  }
});

test("a delay level that is no whole number is none", (t) => {
  for (const level of ["x", "1.5", "NaN", "Infinity", "1e400"]) {
    const properties = encodeProperties([["DELAY", level]], true);
    const record = sealedRecord(sampleMessage({ properties, propertiesLength: properties.length }), false);
    const request = new DispatchRequest();
    t.true(request.read(record, 0, record.length));
    t.is(request.delayTimeLevel, 0, level);
  }
});

test("bytes that are no record are refused, exactly when the checker refuses their layout, and nothing beyond them matters", (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const checker = new MessageChecker();
  let [refused, accepted] = [0, 0];
  for (let round = 0; round < 4000; round++) {
    const message = sampleMessage({
      bornHost: HOSTS[random(2)] as Uint8Array,
      storeHost: HOSTS[random(2)] as Uint8Array,
      topic: TOPICS[random(TOPICS.length)] as Buffer,
      properties: PROPERTIES[random(3)] as Buffer,
    });
    const record = sealedRecord({ ...message, propertiesLength: message.properties.length }, false);
    damage(record, random);
    const verdict = checker.check(viewOf(record), record, 0, record.length, ANY_PHYSICAL_OFFSET, false);
    if (verdict === MessageVerdict.BAD_FIELD) continue;
    const request = readWithin(t, record);
    t.is(request !== undefined, verdict === record.length, `round=${round} verdict=${verdict}`);
    if (request === undefined) refused++;
    else accepted++;
  }
  t.true(refused > 500 && accepted > 500, `refused=${refused} accepted=${accepted}`);
});

/** Changes what lengths are made of: flags, magic, and any byte from the body length on. */
function damage(record: Buffer, random: (below: number) => number): void {
  switch (random(4)) {
    case 0:
      record.writeInt32BE(random(64), SYS_FLAG_OFFSET);
      return;
    case 1:
      record.writeInt32BE(random(2) === 0 ? MESSAGE_MAGIC_V1 : MESSAGE_MAGIC_V2, MAGIC_OFFSET);
      return;
    case 2:
      record[BODY_LENGTH_OFFSET + random(record.length - BODY_LENGTH_OFFSET)] = random(256);
      return;
    default:
      record[BODY_LENGTH_OFFSET + random(16)] = [0, 1, 0x7f, 0x80, 0xff][random(5)] as number;
  }
}

test("lengths are signed: a topic or properties longer than their field can say are no record", (t) => {
  const short = sampleMessage({ body: Buffer.alloc(0), properties: Buffer.alloc(0), propertiesLength: 0 });
  const topicOf128 = sealedRecord({ ...short, topic: Buffer.alloc(127, "t") }, false);
  const longer = Buffer.concat([topicOf128, Buffer.alloc(1)]);
  longer.writeInt32BE(longer.length, 0);
  t.is(longer[BODY_OFFSET], 127);
  longer[BODY_OFFSET] = 128;
  t.is(readWithin(t, longer), undefined);
  const properties = Buffer.concat([sealedRecord(short, false), Buffer.alloc(0x8000, "x")]);
  properties.writeInt32BE(properties.length, 0);
  properties.writeUInt16BE(0x8000, properties.length - 0x8000 - 2);
  t.is(readWithin(t, properties), undefined);
});

test("the shortest sizes are refused without a look behind them", (t) => {
  const record = sealedRecord(sampleMessage(), false);
  for (let size = MESSAGE_BASE_LENGTH; size < record.length; size++)
    t.is(readWithin(t, record.subarray(0, size)), undefined, `size=${size}`);
  t.not(readWithin(t, record), undefined);
});

test("hashes over UTF-8 bytes are Java's over UTF-16 units, and go on from one to the next", (t) => {
  const texts = ["", "TagA", "polygenelubricants", "ключ", "😀", "a😀", "😀a", "\ufeff", "x".repeat(300), `${"x".repeat(300)}ü`];
  for (const text of texts) {
    const bytes = Buffer.from(`<${text}>`);
    t.is(hashOf(0, bytes, 1, bytes.length - 2), javaStringHash(text), text);
    for (const before of ["TopicA#", "Ω"])
      t.is(hashOf(javaStringHash(before), bytes, 1, bytes.length - 2), javaStringHash(before + text));
  }
  t.is(hashOf(17, Buffer.from("abc"), 0, -1), 17);
});
