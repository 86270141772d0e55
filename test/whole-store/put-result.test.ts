import { SYS_FLAG_COMMIT, SYS_FLAG_PREPARED, SYS_FLAG_ROLLBACK } from "@millrace/format";
import type { Message } from "@millrace/store";
import test from "ava";
import { readLog } from "../support/stored-log.js";
import { message, numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";

test("what a put answers is what the record says", async (t) => {
  const store = await openStore(t);
  const before = Date.now();
  const results = [];
  for (let n = 0; n < 5; n++) results.push(await store.putMessage(numbered(n, 10 + n, { queueId: n % 2 })));
  const { messages, end } = readLog(store.config.storePathRootDir);
  t.is(messages.length, 5);
  for (const [n, { status, appendResult }] of results.entries()) {
    const record = messages[n];
    t.is(status, "PUT_OK");
    t.is(appendResult?.status, "PUT_OK");
    t.is(appendResult?.wroteOffset, record?.physicalOffset);
    t.is(appendResult?.wroteBytes, record?.size);
    t.is(appendResult?.msgId, record?.msgId);
    t.is(appendResult?.storeTimestamp, record?.storeTimestamp);
    t.is(appendResult?.queueOffset, record?.queueOffset);
    t.is(appendResult?.queueOffset, Math.floor(n / 2));
    t.is(appendResult?.msgCount, 1);
    t.true((record?.storeTimestamp ?? 0) >= before && (record?.storeTimestamp ?? 0) <= Date.now());
    t.is(record?.queueId, n % 2);
    t.is(Buffer.from(record?.body ?? []).toString(), Buffer.from(numbered(n, 10 + n).body).toString());
  }
  t.is(store.maxPhysicalOffset, end);
});

const everything: Message = {
  topic: "%RETRY%group|1_-",
  queueId: 0x7fffffff,
  body: Buffer.from([0, 1, 2, 255]),
  tags: "Tag-ü",
  keys: ["K1", "K2"],
  properties: { own: "välue", UNIQ_KEY: "0A" },
  flag: -2,
  sysFlag: SYS_FLAG_COMMIT | 1,
  bornTimestamp: 1_700_000_000_123,
  bornHost: { address: "10.1.2.3", port: 4567 },
  storeHost: { address: "192.168.0.9", port: 65535 },
  reconsumeTimes: 3,
  preparedTransactionOffset: 2 ** 40 + 1,
  waitStoreMsgOK: true,
};

for (const [what, bornHost, storeHost] of [
  ["IPv4 hosts", everything.bornHost, everything.storeHost],
  ["an IPv6 born host", { address: "2001:db8::1", port: 1 }, everything.storeHost],
  ["an IPv6 store host", everything.bornHost, { address: "fe80::7", port: 2 }],
  ["IPv6 hosts", { address: "2001:db8::1", port: 1 }, { address: "fe80::7", port: 2 }],
] as const) {
  test(`every field of a message reaches its record, with ${what}`, async (t) => {
    const put = { ...everything, bornHost, storeHost } as Message;
    const store = await openStore(t);
    const { appendResult } = await store.putMessage(put);
    const [record] = readLog(store.config.storePathRootDir).messages;
    const { topic, queueId, flag, bornTimestamp, reconsumeTimes, preparedTransactionOffset } = put;
    t.like(record, { topic, queueId, flag, bornTimestamp, reconsumeTimes, preparedTransactionOffset, bornHost, storeHost });
    t.is((record?.sysFlag ?? 0) & 0xf, put.sysFlag ?? 0);
    t.deepEqual([...(record?.body ?? [])], [...put.body]);
    record?.properties.delete("__CRC32#");
    const expected = { TAGS: "Tag-ü", KEYS: "K1 K2", WAIT: "true", own: "välue", UNIQ_KEY: "0A" };
    t.deepEqual(Object.fromEntries(record?.properties ?? []), expected);
    t.is(appendResult?.msgId, record?.msgId);
  });
}

test("unset fields have their defaults", async (t) => {
  const store = await openStore(t, { storeHost: { address: "127.0.0.1", port: 1234 }, enabledAppendPropCRC: false });
  await store.putMessage(message());
  const [record] = readLog(store.config.storePathRootDir).messages;
  const zero = { flag: 0, sysFlag: 0, reconsumeTimes: 0, preparedTransactionOffset: 0, queueOffset: 0 };
  t.like(record, { ...zero, bornHost: { address: "127.0.0.1", port: 0 }, storeHost: { address: "127.0.0.1", port: 1234 } });
  t.is(record?.properties.size, 0);
  t.true(Math.abs((record?.bornTimestamp ?? 0) - Date.now()) < 5000);
});

test("a body may be any view of bytes", async (t) => {
  const store = await openStore(t);
  const memory = new Uint8Array(32).map((_, i) => i);
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7);
  for (const body of [memory.subarray(3, 9), Buffer.from(memory.buffer, 30, 2), shared]) await store.putMessage(message({ body }));
  const bodies = readLog(store.config.storePathRootDir).messages.map(({ body }) => [...body]);
  t.deepEqual(bodies, [
    [3, 4, 5, 6, 7, 8],
    [30, 31],
    [7, 7, 7, 7],
  ]);
});

test("a batch is contiguous, has consecutive queue offsets, and one answer", async (t) => {
  const store = await openStore(t);
  await store.putMessage(numbered(0));
  const lengths = [1, 300, 0, 20];
  const { status, appendResult } = await store.putMessages(
    lengths.map((length) => message({ body: new Uint8Array(length), tags: `T${length}` })),
  );
  await store.putMessage(numbered(5));
  const { messages } = readLog(store.config.storePathRootDir);
  const batch = messages.slice(1, 5);
  t.is(status, "PUT_OK");
  t.deepEqual(
    messages.map(({ queueOffset }) => queueOffset),
    [0, 1, 2, 3, 4, 5],
  );
  t.deepEqual(
    batch.map(({ body }) => body.length),
    lengths,
  );
  t.is(appendResult?.msgId, batch.map(({ msgId }) => msgId).join(","));
  t.is(appendResult?.wroteOffset, batch[0]?.physicalOffset);
  t.is(
    appendResult?.wroteBytes,
    batch.reduce((sum, { size }) => sum + size, 0),
  );
  t.is(appendResult?.msgCount, 4);
  t.is(appendResult?.queueOffset, 1);
  const { status: appended, wroteOffset, wroteBytes, storeTimestamp, queueOffset, msgCount, msgId } = appendResult ?? {};
  const plain = { status: appended, wroteOffset, wroteBytes, storeTimestamp, queueOffset, msgCount, msgId };
  t.deepEqual(JSON.parse(JSON.stringify(appendResult)), plain);
});

test("a batch never crosses the end of a segment, whatever its hosts", async (t) => {
  const store = await openStore(t, { mappedFileSizeCommitLog: 8192 });
  const v6 = { bornHost: { address: "::1", port: 1 }, storeHost: { address: "::2", port: 2 } };
  for (let n = 0; n < 30; n++) await store.putMessages([0, 1, 2].map((i) => numbered(3 * n + i, 200, n % 2 === 0 ? {} : v6)));
  const { messages, blanks } = readLog(store.config.storePathRootDir);
  t.is(messages.length, 90);
  t.true(blanks.size >= 3);
  for (let n = 0; n < 90; n += 3) {
    const segments = new Set(messages.slice(n, n + 3).map(({ physicalOffset }) => Math.floor(physicalOffset / 8192)));
    t.is(segments.size, 1);
  }
  t.deepEqual(
    messages.map(({ queueOffset }) => queueOffset),
    messages.map((_, n) => n),
  );
});

test("prepared and rolled back messages take queue offset 0 and do not advance it", async (t) => {
  const store = await openStore(t);
  const flags = [0, SYS_FLAG_PREPARED, SYS_FLAG_COMMIT, SYS_FLAG_ROLLBACK, 0];
  const results = await Promise.all(flags.map((sysFlag) => store.putMessage(message({ sysFlag }))));
  const expected = [0, 0, 1, 0, 2];
  t.deepEqual(
    results.map(({ appendResult }) => appendResult?.queueOffset),
    expected,
  );
  const { messages } = readLog(store.config.storePathRootDir);
  t.deepEqual(
    messages.map(({ queueOffset }) => queueOffset),
    expected,
  );
  await store.close();
  const reopened = await openStore(t, { storePathRootDir: store.config.storePathRootDir });
  t.is((await reopened.putMessage(message())).appendResult?.queueOffset, 3);
});

test("a delayed message goes to the schedule topic, its own place into properties", async (t) => {
  const store = await openStore(t);
  const results = [];
  for (const delayTimeLevel of [3, 99, 0])
    results.push(await store.putMessage(message({ topic: "TopicD", queueId: 3, tags: "T", delayTimeLevel })));
  const transactional = await store.putMessage(
    message({ topic: "TopicD", queueId: 3, delayTimeLevel: 3, sysFlag: SYS_FLAG_PREPARED }),
  );
  t.is(transactional.status, "PUT_OK");
  const { messages } = readLog(store.config.storePathRootDir);
  t.deepEqual(
    messages.map(({ topic, queueId, queueOffset }) => [topic, queueId, queueOffset]),
    [
      ["SCHEDULE_TOPIC_XXXX", 2, 0],
      ["SCHEDULE_TOPIC_XXXX", 17, 0],
      ["TopicD", 3, 0],
      ["TopicD", 3, 0],
    ],
  );
  for (const [n, level] of ["3", "18"].entries()) {
    const properties = Object.fromEntries(messages[n]?.properties ?? []);
    t.like(properties, { DELAY: level, REAL_TOPIC: "TopicD", REAL_QID: "3", TAGS: "T" });
  }
  t.is(messages[2]?.properties.get("REAL_TOPIC"), undefined);
  t.deepEqual(
    results.map(({ appendResult }) => appendResult?.msgId),
    messages.slice(0, 3).map(({ msgId }) => msgId),
  );
});

test("a record that fits no segment is illegal, the largest that fits is not", async (t) => {
  const store = await openStore(t, { enabledAppendPropCRC: false });
  const overhead = (await store.putMessage(message())).appendResult?.wroteBytes ?? 0;
  const largest = SEGMENT_SIZE - 8 - overhead;
  const tooLarge = await store.putMessage(message({ body: new Uint8Array(largest + 1) }));
  t.like(tooLarge, { status: "MESSAGE_ILLEGAL", code: "ERR_RECORD_TOO_LARGE", appendResult: null });
  const batch = [message({ body: new Uint8Array(largest / 2) }), message({ body: new Uint8Array(largest / 2) })];
  t.like(await store.putMessages(batch), { status: "MESSAGE_ILLEGAL", code: "ERR_RECORD_TOO_LARGE" });
  t.is(store.maxPhysicalOffset, overhead);
  const fits = await store.putMessage(message({ body: new Uint8Array(largest) }));
  t.like(fits.appendResult, { wroteOffset: SEGMENT_SIZE, queueOffset: 1 });
  const { blanks, messages } = readLog(store.config.storePathRootDir);
  t.deepEqual([...blanks.entries()], [[overhead, SEGMENT_SIZE - overhead]]);
  t.is(messages.length, 2);
});

test("a batch of several born or store hosts is refused, one of IPv6 hosts is stored as what it is", async (t) => {
  const store = await openStore(t);
  const mixed = [
    message({ body: Buffer.from("four") }),
    message({ body: Buffer.from("six"), bornHost: { address: "::1", port: 1 } }),
  ];
  await t.throwsAsync(store.putMessages(mixed), { code: "ERR_BATCH_ILLEGAL" });
  await t.throwsAsync(store.putMessages([message({ storeHost: { address: "10.0.0.1", port: 1 } }), message()]), {
    code: "ERR_BATCH_ILLEGAL",
  });
  await store.putMessages(mixed.map((one) => ({ ...one, bornHost: { address: "::1", port: 1 } })));
  const { messages } = readLog(store.config.storePathRootDir);
  t.deepEqual(
    messages.map(({ body }) => Buffer.from(body).toString()),
    ["four", "six"],
  );
});

test("a put that is refused leaves no topic and no queue behind", async (t) => {
  const store = await openStore(t, { maxMessageSize: 100 });
  for (let n = 0; n < 50; n++) {
    const large = numbered(n, 101, { topic: `Topic${n}`, queueId: n });
    t.is((await store.putMessage(large)).status, "MESSAGE_ILLEGAL");
    t.is((await store.putMessages([large])).status, "MESSAGE_ILLEGAL");
    await t.throwsAsync(store.putMessage({ ...numbered(n, 1, { topic: `Topic${n}` }), flag: 0.5 }), {
      code: "ERR_MESSAGE_ILLEGAL",
    });
  }
  t.deepEqual(store.stats().put.topics, []);
  t.is((await store.putMessage(numbered(1, 1, { topic: "Topic1" }))).status, "PUT_OK");
  t.deepEqual(
    store.stats().put.topics.map(({ topic }) => topic),
    ["Topic1"],
  );
});
