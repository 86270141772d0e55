import {
  bodyOffsetOf,
  DelayLevels,
  DispatchRequest,
  encodedLength,
  encodeHost,
  indexKeyHash,
  type MessageFields,
  storedPropertiesLength,
  unitTagsCode,
} from "@millrace/format";
import { ControlBlock, DispatchHints, HINTS, PutRingConsumer, PutRingProducer } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { GroupKernel } from "#store/append/group-kernel.js";
import { RecordEncoder } from "#store/put/record-encoder.js";
import type { Topic } from "#store/put/topic-table.js";
import { emptyPipelineData } from "../../support/pipeline-on-this-thread.js";
import { chosenSeed, type Random, seededRandom } from "../../support/random.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const RECORDS = Number(process.env.MILLRACE_KERNEL_RECORDS ?? 6_000);
const LEVELS = DelayLevels.parse("1s 5s 10s");
const HOSTS = ["10.1.2.3", "2001:db8::7"].map((address, port) => encodeHost({ address, port }));
const NAMES = ["TAGS", "KEYS", "UNIQ_KEY", "DELAY", "TAGZ", "KEYZ", "UNIQ_KEZ", "DELAX", "A", "", "TAGS2", "UNIQ_KE"];
const VALUES = [
  "",
  "a",
  "TagA",
  "k1",
  "k1 k2",
  " k1  k2 ",
  "k1 k2 k3",
  "2",
  "größer",
  "鍵",
  " ",
  "x".repeat(60),
  "polygenelubricants",
];
/** The hash of `polygenelubricants` is the smallest int; with a topic before it others have to come by chance. */
const TOPICS = ["T", "TopicA", "x".repeat(127), "y".repeat(128), "z".repeat(200)];

/** The appender's side by this thread: kernel, ring; and the dispatcher's. */
class Appended {
  readonly producer: PutRingProducer;
  readonly hints: DispatchHints;
  offset = 0;
  readonly #consumer: PutRingConsumer;
  readonly #kernel: GroupKernel;
  readonly #encoder: RecordEncoder;
  readonly #words: { append: ControlBlock<"append">; dispatch: ControlBlock<"dispatch"> };
  readonly #topics = new Map<string, Topic>();

  constructor(t: ExecutionContext) {
    const data = emptyPipelineData(
      { storePathRootDir: temporaryDirectory(t), putRingSize: 2 ** 20, maxMessageSize: 2 ** 16 },
      { kind: "real" },
    );
    this.producer = new PutRingProducer(data.ring);
    this.#consumer = new PutRingConsumer(data.ring);
    this.#kernel = new GroupKernel(data);
    this.#encoder = new RecordEncoder(data, true, false);
    this.#words = { append: ControlBlock.attach(data.control, "append"), dispatch: ControlBlock.attach(data.control, "dispatch") };
    this.hints = new DispatchHints(data.hints as NonNullable<typeof data.hints>, this.#words.dispatch);
  }

  /** One frame of `count` equal records; the bytes of all that were appended. */
  append(
    message: Omit<MessageFields, "topic" | "properties">,
    topicName: string,
    properties: string,
    count: number,
    slot: number,
  ): Uint8Array {
    const topic = this.#topic(topicName);
    const fields: MessageFields = { ...message, topic: topic.bytes, properties: this.#encoder.properties };
    fields.propertiesLength = Buffer.from(properties).copy(this.#encoder.properties);
    const stored = storedPropertiesLength(fields, true);
    const length = encodedLength(fields, stored);
    const start = this.producer.claim(count * length);
    for (let i = 0; i < count; i++) this.#encoder.encode(topic, start + i * length, fields, length, stored);
    this.producer.commit(start, count * length, count, slot, bodyOffsetOf(fields), 0, 0);
    this.producer.publish();
    const { head } = this.#consumer;
    this.#kernel.begin();
    this.#kernel.setHintsTaken(this.#words.append.counters.hintsTaken.get());
    this.#kernel.append(this.#consumer, head, 1, 2 ** 30, 2 ** 30, this.offset, 1_795_199_719_424 + head);
    this.#words.append.counters.hintsLeft.set(this.#kernel.hinted);
    this.#consumer.release(head + 1);
    this.producer.resultEnd();
    this.producer.take();
    const bytes = this.#kernel.take().slice();
    this.offset += bytes.length;
    return bytes;
  }

  #topic(name: string): Topic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic = { name, bytes: Buffer.from(name), ordinal: this.#topics.size, slots: new Map(), isReserved: false };
    this.#topics.set(name, topic);
    return topic;
  }
}

function randomFields(random: Random): Omit<MessageFields, "topic" | "properties"> {
  return {
    queueId: random(9),
    flag: 0,
    sysFlag: random(4) === 0 ? random(4) * 4 : 0,
    bornTimestamp: 1,
    bornHost: HOSTS[random(2)] as Uint8Array,
    storeHost: HOSTS[random(2)] as Uint8Array,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(random(50)),
    propertiesLength: 0,
  };
}

/** Pairs in any order, some twice, some cut off. */
function randomProperties(random: Random): string {
  let text = "";
  for (let i = random(5); i > 0; i--) {
    const value = random(3) === 0 ? `k${random(2 ** 31)}` : (VALUES[random(VALUES.length)] as string);
    const name = NAMES[random(random(3) === 0 ? NAMES.length : 4)];
    const isLast = i === 1 && random(2) === 0;
    text += `${name}${random(9) === 0 ? "" : "\x01"}${value}${isLast ? "" : "\x02"}`;
  }
  return text;
}

/** What the dispatchers find when they read the record; undefined where a hint has to send them to it. */
function found(request: DispatchRequest): object | undefined {
  const keys = (request.keys ?? "").split(" ").filter((key) => key !== "");
  if (request.uniqKey !== undefined) keys.unshift(request.uniqKey);
  const tags = request.bytes.subarray(request.tagsPosition, request.tagsPosition + Math.max(0, request.tagsLength));
  const hashed = `${Buffer.from(tags)}${keys}`;
  if (request.transactionType !== 0 || request.delayLength >= 0 || keys.length > 2) return undefined;
  if (Buffer.byteLength(hashed) !== hashed.length) return undefined;
  return {
    physicalOffset: request.commitLogOffset,
    queueOffset: request.consumeQueueOffset,
    storeTimestamp: request.storeTimestamp,
    size: request.msgSize,
    tagsCode: unitTagsCode(request, true, LEVELS),
    keys: keys.map((key) => indexKeyHash(`${request.topic}#${key}`)),
  };
}

test("a hint says of a record what the dispatchers would read in it, or sends them there", (t) => {
  const seed = chosenSeed();
  t.log(`seed=${seed}`);
  const random = seededRandom(seed);
  const appended = new Appended(t);
  const { hints } = appended;
  const request = new DispatchRequest();
  const counts = { hinted: 0, sent: 0, keys: 0 };
  while (counts.hinted + counts.sent < RECORDS) {
    const slot = random(1000);
    const from = appended.offset;
    const count = 1 + (random(5) === 0 ? random(3) : 0);
    const topic = TOPICS[random(TOPICS.length)] as string;
    const bytes = appended.append(randomFields(random), topic, randomProperties(random), count, slot);
    hints.begin();
    for (let at = 0; at < bytes.length; at += request.msgSize) {
      request.read(bytes, at, bytes.length / count);
      const expected = found(request);
      const isHinted = hints.isAt(from + at);
      t.is(isHinted, expected !== undefined, Buffer.from(bytes).toString("hex"));
      if (isHinted) counts.hinted++;
      else counts.sent++;
      if (!isHinted) continue;
      counts.keys += hints.keys;
      t.is(hints.queueSlot, slot);
      const { physicalOffset, queueOffset, storeTimestamp, size, tagsCode } = hints;
      const keys = Array.from({ length: hints.keys }, (_, key) => hints.keyHash(key));
      t.deepEqual({ physicalOffset, queueOffset, storeTimestamp, size, tagsCode, keys }, expected as object);
    }
    hints.isAt(appended.offset); // goes past the last
    hints.release();
  }
  t.log(counts);
  t.true(counts.hinted > RECORDS / 4 && counts.sent > RECORDS / 10 && counts.keys > RECORDS / 20);
});

test("while the ring of hints is full none are left; the next ones come after a gap, and the ring goes round", (t) => {
  const appended = new Appended(t);
  const { hints } = appended;
  const fields = { ...randomFields(() => 0), body: new Uint8Array(0) };
  const records: number[] = [];
  const append = (count: number): void => {
    for (let i = 0; i < count; i++) {
      records.push(appended.offset);
      appended.append(fields, "T", "", 1, 0);
    }
  };
  const seen = (first: number, end: number): boolean[] => records.slice(first, end).map((offset) => hints.isAt(offset));
  append(HINTS + 3);
  hints.begin();
  t.true(seen(0, HINTS).every((is) => is));
  t.deepEqual(seen(HINTS, HINTS + 3), [false, false, false]);
  hints.begin();
  t.true(hints.isAt(0), "what was not released is there again");
  t.true(hints.isAt(records[9] as number));
  hints.release();
  append(12);
  hints.begin();
  t.false(hints.isAt(0), "and what was released is not");
  t.true(seen(10, HINTS).every((is) => is));
  t.deepEqual(seen(HINTS, HINTS + 15), [...Array(3).fill(false), ...Array(9).fill(true), ...Array(3).fill(false)]);
  hints.release();
  append(HINTS);
  hints.begin();
  t.true(seen(HINTS + 15, HINTS + 15 + HINTS).every((is) => is));
});
