import { closeSync, openSync, readdirSync, readFileSync, readSync, utimesSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, segmentFileName } from "@millrace/format";
import { type CleanReport, MessageStore, type RebuiltEvent } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { numbered, numberOf, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const SIZE = 4096;
/** So many records fill a segment. */
const PER_SEGMENT = 3;
const BODY = 1100;
const UNITS = 20;
const MESSAGES = 120;
/** What retention leaves begins in the middle of the second file. */
const EXPIRED_SEGMENTS = 9;
const FIRST = EXPIRED_SEGMENTS * PER_SEGMENT;
const QUEUE = { topic: "TopicA", queueId: 0 };

function open(t: ExecutionContext, directory?: string): Promise<MessageStore> {
  return openStore(t, {
    ...(directory === undefined ? {} : { storePathRootDir: directory }),
    mappedFileSizeCommitLog: SIZE,
    mappedFileSizeConsumeQueue: UNITS * CONSUME_QUEUE_UNIT_LENGTH,
    messageIndexEnable: false,
    fileReservedTime: 1,
    deleteCommitLogFilesInterval: 0,
    deleteConsumeQueueFilesInterval: 0,
  });
}

async function filled(t: ExecutionContext): Promise<MessageStore> {
  const store = await open(t);
  const puts = Array.from({ length: MESSAGES }, (_, n) => store.putMessage(numbered(n, BODY, QUEUE)));
  for (const { status } of await Promise.all(puts)) t.is(status, "PUT_OK");
  await store.flush();
  await until(() => store.dispatchBehindBytes === 0);
  return store;
}

async function expire(store: MessageStore, segments = EXPIRED_SEGMENTS): Promise<CleanReport> {
  const log = store.config.storePathCommitLog;
  const old = Date.now() / 1000 - 3700;
  const expired = readdirSync(log)
    .sort()
    .filter((name) => Number(name) < segments * SIZE);
  for (const name of expired) utimesSync(join(log, name), old, old);
  return await store.deleteExpiredFiles();
}

/** Files of the queue, by their first units. */
function files(store: MessageStore): number[] {
  return readdirSync(join(store.config.storePathRootDir, "consumequeue/TopicA/0"))
    .sort()
    .map((name) => Number(name) / CONSUME_QUEUE_UNIT_LENGTH);
}

function pathOf(store: MessageStore, unit: number): string {
  const name = segmentFileName((unit - (unit % UNITS)) * CONSUME_QUEUE_UNIT_LENGTH);
  return join(store.config.storePathRootDir, "consumequeue/TopicA/0", name);
}

/** Units from the first live one on to the end of its file. */
function liveUnits(store: MessageStore): string {
  return readFileSync(pathOf(store, FIRST))
    .subarray((FIRST % UNITS) * CONSUME_QUEUE_UNIT_LENGTH)
    .toString("hex");
}

/** In place: the store has the file open. */
function change(store: MessageStore, unit: number, bytesOf: (before: Buffer) => Uint8Array): void {
  const file = openSync(pathOf(store, unit), "r+");
  const position = (unit % UNITS) * CONSUME_QUEUE_UNIT_LENGTH;
  const bytes = Buffer.alloc(CONSUME_QUEUE_UNIT_LENGTH);
  readSync(file, bytes, 0, bytes.length, position);
  writeSync(file, bytesOf(bytes), 0, bytes.length, position);
  closeSync(file);
}

function zero(store: MessageStore, from: number, to: number): void {
  for (let unit = from; unit < to; unit++) change(store, unit, (bytes) => bytes.fill(0));
}

/** Bits of the physical offset, of one unit. */
function flip(store: MessageStore, unit: number, bits: bigint): void {
  change(store, unit, (bytes) => {
    bytes.writeBigUInt64BE(bytes.readBigUInt64BE(0) ^ bits);
    return bytes;
  });
}

async function consumed(store: MessageStore): Promise<number[]> {
  const numbers: number[] = [];
  for await (const batch of store.consume({ ...QUEUE, from: "earliest" })) {
    for (const { body } of batch.messages) numbers.push(numberOf(body));
    if (batch.nextOffset === MESSAGES) return numbers;
  }
  return numbers;
}

function minOffset(store: MessageStore): number {
  return store.getMessage({ ...QUEUE, queueOffset: 0 }).minOffset;
}

const DAMAGE: Record<string, (store: MessageStore) => void> = {
  "zeros in the middle of live units": (store) => zero(store, 50, 70),
  "zeros in the middle of expired units": (store) => zero(store, 3, 17),
  "zeros where live units begin": (store) => zero(store, FIRST - 7, FIRST + 7),
  "zeros from the first live unit on": (store) => zero(store, FIRST, FIRST + 9),
  "zeros up to the last expired unit": (store) => zero(store, FIRST - 9, FIRST),
  "a live unit that looks expired": (store) => flip(store, 60, 0x1_0000n),
  "the first live unit that looks expired": (store) => flip(store, FIRST, 0x8000n),
  "a live unit that looks expired just before a file's end": (store) => flip(store, 39, 0x8000n),
  "the first unit of all that looks live": (store) => flip(store, 0, 0x1_0000n),
  "the first unit of all that points far behind the log's end": (store) => flip(store, 0, 1n << 61n),
  "an expired unit that looks live": (store) => flip(store, FIRST - 1, 0x1_0000n),
  "a live unit that points before the log": (store) => flip(store, 60, 1n << 63n),
  "a live unit that points far behind the log's end": (store) => flip(store, FIRST, 1n << 40n),
};

for (const [name, damage] of Object.entries(DAMAGE)) {
  test.serial(`retention moves a queue's minimum to its first message, and no further, over ${name}`, async (t) => {
    const store = await filled(t);
    const good = liveUnits(store);
    damage(store);
    t.like(await expire(store), { failure: undefined });
    t.is(store.minPhysicalOffset, EXPIRED_SEGMENTS * SIZE);
    t.is(minOffset(store), FIRST);
    t.deepEqual(files(store), [20, 40, 60, 80, 100], "units of live messages stay");
    t.is(liveUnits(store), good, "what is damaged where they begin is built again");
    t.deepEqual(
      await consumed(store),
      Array.from({ length: MESSAGES - FIRST }, (_, n) => FIRST + n),
    );
  });
}

test.serial("a live unit in an old file that looks expired is built again, and no checksum says that it is right", async (t) => {
  const store = await filled(t);
  await expire(store);
  await store.close();
  const good = readFileSync(pathOf(store, 45)).toString("hex");
  flip(store, 45, 0x8000n);
  for (const rebuilt of [1, 0]) {
    const again = await open(t, store.config.storePathRootDir);
    const events: RebuiltEvent[] = [];
    again.on("rebuilt", (event) => events.push(event));
    await until(() => events.length === rebuilt && readFileSync(pathOf(store, 45)).toString("hex") === good);
    await again.close();
    t.is(events.length, rebuilt);
  }
});

test.serial("a reader beside the store goes on from the first message, whatever is damaged behind it", async (t) => {
  const store = await filled(t);
  await using reader = await MessageStore.openReadOnly(store.config.storePathRootDir);
  const bounds = (): number[] => {
    const { minOffset, maxOffset } = reader.getMessage({ ...QUEUE, queueOffset: 0 });
    return [minOffset, maxOffset];
  };
  await until(() => bounds()[1] === MESSAGES);
  zero(store, 55, 75);
  flip(store, 45, 0x8000n);
  await expire(store);
  await until(() => bounds()[0] !== 0);
  t.deepEqual(bounds(), [FIRST, MESSAGES]);
});
