import { javaHashMapOrder } from "@millrace/format";
import type { Message } from "@millrace/store";
import test from "ava";
import { type DelayedProperties, PropertyWriter } from "#store/put/property-writer.js";
import { formatProperties } from "../../../support/property-string.js";
import { chosenSeed, type Random, seededRandom } from "../../../support/random.js";

const CHARACTERS = ["a", "B", "7", "_", " ", "ü", "Ω", "漢", "😀", "\u0000", "\u0003", "\u007f", "\uffff"];

function text(random: Random, most: number): string {
  return Array.from({ length: 1 + random(most) }, () => CHARACTERS[random(CHARACTERS.length)]).join("");
}

function written(writer: PropertyWriter, message: Partial<Message>, delayed?: DelayedProperties): string {
  const length = writer.write({ topic: "T", queueId: 0, body: new Uint8Array(0), ...message }, delayed);
  return Buffer.from(writer.bytes.subarray(0, length)).toString();
}

test("properties are written as a Java client's HashMap would give them out, whatever they are", (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const writer = new PropertyWriter();
  for (let round = 0; round < 2000; round++) {
    const pairs = new Map<string, string>();
    const message: { -readonly [K in keyof Message]?: Message[K] } = {};
    if (random(2) === 0) {
      message.tags = text(random, 100);
      pairs.set("TAGS", message.tags);
    }
    if (random(2) === 0) {
      const keys = Array.from({ length: 1 + random(3) }, (_, i) => `key${i}${random(1000)}`);
      message.keys = random(2) === 0 ? keys : keys.join(" ");
      pairs.set("KEYS", keys.join(" "));
    }
    if (random(3) === 0) {
      message.waitStoreMsgOK = random(2) === 0;
      pairs.set("WAIT", String(message.waitStoreMsgOK));
    }
    if (random(4) > 0) {
      const own: Record<string, string> = {};
      for (let n = random(30); n > 0; n--) own[random(3) === 0 ? text(random, 12) : `p${random(1000)}`] = text(random, 80);
      message.properties = own;
      for (const [name, value] of Object.entries(own)) pairs.set(name, value);
    }
    const ordered = javaHashMapOrder(pairs.keys()).map((name) => [name, pairs.get(name)] as const);
    t.is(written(writer, message), formatProperties(ordered, true), JSON.stringify(message));
  }
});

test("tags, keys and wait alone keep that order too", (t) => {
  const message = { tags: "T", keys: "K", waitStoreMsgOK: true };
  const order = javaHashMapOrder(["TAGS", "KEYS", "WAIT"]);
  const values: Record<string, string> = { TAGS: "T", KEYS: "K", WAIT: "true" };
  t.is(
    written(new PropertyWriter(), message),
    formatProperties(
      order.map((name) => [name, values[name]]),
      true,
    ),
  );
  t.is(written(new PropertyWriter(), {}), "");
});

test("names that were refused change nothing for those that are legal, and legal ones let none pass that are not", (t) => {
  const illegal: Record<string, string>[] = [
    { "a\u0001b": "x" },
    { "": "x" },
    { "\u0001": "x" },
    { a: "1", "": "2" },
    { a: "1", b: "" },
  ];
  const legal: Record<string, string>[] = [{}, { a: "1", b: "2" }, { a: "1" }, { b: "2", a: "1" }];
  for (const first of [...illegal, ...legal]) {
    const writer = new PropertyWriter();
    for (const properties of [first, ...illegal, ...legal, ...illegal, ...legal]) {
      if (illegal.includes(properties)) {
        t.throws(() => written(writer, { properties }), { code: "ERR_PROPERTY_ILLEGAL" }, JSON.stringify([first, properties]));
      } else {
        const expected = javaHashMapOrder(Object.keys(properties)).map((name) => [name, properties[name] as string] as const);
        t.is(written(writer, { properties }), formatProperties(expected, true), JSON.stringify([first, properties]));
      }
    }
  }
});

test("the same names are in order however many others, and however long ones, came before", (t) => {
  const writer = new PropertyWriter();
  const again = { properties: { first: "1", second: "2", third: "3" } };
  const expected = written(writer, again);
  for (let n = 0; n < 3000; n++) {
    const name = n % 100 === 0 ? "n".repeat(2000) + n : `n${n}`;
    t.is(written(writer, { properties: { [name]: "v" } }), `${name}\u0001v\u0002`);
    t.is(written(writer, again), expected);
  }
});

test("32,767 bytes fit, one more does not, and a refusal leaves the writer usable", (t) => {
  const writer = new PropertyWriter();
  const message = (value: string): Message => ({ topic: "T", queueId: 0, body: new Uint8Array(0), properties: { p: value } });
  t.is(writer.write(message("v".repeat(32_764)), undefined), 32_767);
  t.is(writer.write(message("v".repeat(32_765)), undefined), -1);
  t.is(writer.write(message("漢".repeat(10_921)), undefined), 32_766);
  t.is(writer.write(message("漢".repeat(10_922)), undefined), -1);
  t.is(writer.write(message("漢".repeat(100_000)), undefined), -1);
  t.is(writer.write(message("v"), undefined), 4);
});

test("what the store adds to a delayed message comes behind the client's own in a bucket of the HashMap; RocketMQ's bytes", (t) => {
  const delayed = { level: 3, real: { topic: "TopicD", queueId: 3 } };
  const own = { properties: { a: "1", "x.y-z": "2" } };
  t.is(
    written(new PropertyWriter(), own, delayed),
    "a\u00011\u0002x.y-z\u00012\u0002REAL_TOPIC\u0001TopicD\u0002DELAY\u00013\u0002REAL_QID\u00013\u0002",
  );
});

test("a prepared message keeps its delay as a property, and stays where it is", (t) => {
  t.is(written(new PropertyWriter(), { tags: "TagA" }, { level: 99, real: undefined }), "DELAY\u000199\u0002TAGS\u0001TagA\u0002");
});
