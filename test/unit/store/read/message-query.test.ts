import { indexKeyHash } from "@millrace/format";
import type { ExecutionContext } from "ava";
import test from "ava";
import { IndexFile } from "#store/dispatch/index-file.js";
import { IndexReader } from "#store/read/index-reader.js";
import { type IndexedMessage, MessageQuery } from "#store/read/message-query.js";
import { realStorage, SHAPE } from "../../../support/index-log.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const BEGIN = 1_700_000_000_000;
const EVER = Number.MAX_SAFE_INTEGER;

interface Message extends IndexedMessage {
  readonly physicalOffset: number;
}

/** Messages by their offsets, in an index of their own. */
function queryOf(t: ExecutionContext, messages: readonly Partial<Message>[], gone: readonly number[] = []): MessageQuery<Message> {
  const directory = temporaryDirectory(t);
  const file = IndexFile.create(realStorage, `${directory}/20261120183519001`, SHAPE);
  const log = new Map<number, Message>();
  for (const [physicalOffset, part] of messages.entries()) {
    const message: Message = {
      topic: "T",
      keys: [],
      uniqKey: undefined,
      storeTimestamp: BEGIN + physicalOffset,
      ...part,
      physicalOffset,
    };
    if (!gone.includes(physicalOffset)) log.set(physicalOffset, message);
    for (const key of [message.uniqKey, ...message.keys]) {
      if (key !== undefined) file.putKey(indexKeyHash(`${message.topic}#${key}`), physicalOffset, message.storeTimestamp);
    }
  }
  const reader = new IndexReader(realStorage, directory, { ...SHAPE, maxMsgsNumBatch: 64 });
  t.teardown(() => {
    reader.close();
    file.close();
  });
  return new MessageQuery(reader, (offset) => log.get(offset));
}

function find(query: MessageQuery<Message>, key: string, range: { maxNum?: number; begin?: number; end?: number } = {}): number[] {
  const { messages } = query.query({ topic: "T", key, maxNum: 32, begin: 0, end: EVER, ...range });
  return messages.map(({ physicalOffset }) => physicalOffset);
}

test("messages come in the order of the log, by key or unique key, the newest if there are too many", (t) => {
  const query = queryOf(t, [{ keys: ["A", "B"] }, { uniqKey: "A" }, { keys: ["B"] }, { keys: ["C", "A"], uniqKey: "U" }]);
  t.deepEqual(find(query, "A"), [0, 1, 3]);
  t.deepEqual(find(query, "B"), [0, 2]);
  t.deepEqual(find(query, "U"), [3]);
  t.deepEqual(find(query, "A", { maxNum: 2 }), [1, 3]);
  t.throws(() => find(query, ""), { code: "ERR_QUERY_ILLEGAL" });
  const { indexLastUpdateTimestamp, indexLastUpdatePhysicalOffset } = query.query({
    topic: "T",
    key: "A",
    maxNum: 1,
    begin: 0,
    end: EVER,
  });
  t.deepEqual([indexLastUpdateTimestamp, indexLastUpdatePhysicalOffset], [BEGIN + 3, 3]);
});

test("another key or topic of the same hash is not handed out, and takes no place", (t) => {
  t.is(indexKeyHash("T#Aa"), indexKeyHash("T#BB"));
  t.is(indexKeyHash("Aa#x"), indexKeyHash("BB#x"));
  const query = queryOf(t, [{ keys: ["Aa"] }, { keys: ["BB"] }, { keys: ["BB"] }, { keys: ["BB"] }]);
  t.deepEqual(find(query, "Aa", { maxNum: 1 }), [0]);
  t.deepEqual(find(query, "BB"), [1, 2, 3]);
  const topics = queryOf(t, [
    { topic: "Aa", keys: ["x"] },
    { topic: "BB", keys: ["x"] },
  ]);
  const { messages } = topics.query({ topic: "Aa", key: "x", maxNum: 9, begin: 0, end: EVER });
  t.deepEqual(
    messages.map(({ topic }) => topic),
    ["Aa"],
  );
});

test("a message that has a key twice comes once", (t) => {
  t.deepEqual(find(queryOf(t, [{ keys: ["A", "A"], uniqKey: "A" }, { keys: ["A"] }]), "A"), [0, 1]);
});

test("messages that are gone are passed over", (t) => {
  t.deepEqual(find(queryOf(t, [{ keys: ["A"] }, { keys: ["A"] }, { keys: ["A"] }], [0, 2]), "A", { maxNum: 1 }), [1]);
});

test("a query keeps to its time, to the millisecond", (t) => {
  const query = queryOf(t, [
    { storeTimestamp: BEGIN, keys: ["A"] },
    { storeTimestamp: BEGIN + 900, keys: ["A"] },
    { storeTimestamp: BEGIN + 1100, keys: ["A"] },
    { storeTimestamp: BEGIN + 1900, keys: ["A"] },
  ]);
  t.deepEqual(find(query, "A", { begin: BEGIN + 900, end: BEGIN + 1100 }), [1, 2]);
  t.deepEqual(find(query, "A", { begin: BEGIN + 901, end: BEGIN + 1099 }), []);
  t.deepEqual(find(query, "A", { begin: BEGIN + 1900 }), [3]);
  t.deepEqual(find(query, "A", { end: BEGIN }), [0]);
});

test("an answer says whether there are older messages, and before goes on with them", (t) => {
  const query = queryOf(
    t,
    Array.from({ length: 7 }, () => ({ keys: ["k"] })),
  );
  const seen: number[][] = [];
  let before: number | undefined;
  for (let more = true; more; ) {
    const found = query.query({ topic: "T", key: "k", maxNum: 3, ...(before === undefined ? {} : { before }) });
    seen.push(found.messages.map(({ physicalOffset }) => physicalOffset));
    before = found.messages[0]?.physicalOffset;
    more = found.more;
  }
  t.deepEqual(seen, [[4, 5, 6], [1, 2, 3], [0]]);
  t.false(query.query({ topic: "T", key: "other" }).more);
  t.throws(() => query.query({ topic: "T", key: "k", before: -1 }), { code: "ERR_QUERY_ILLEGAL" });
});
