import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, utimesSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, QUEUE_ID_OFFSET, segmentFileName } from "@millrace/format";
import type { MessageStore, MessageStoreOptions, RebuiltEvent } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { flipBit } from "../support/flip-bit.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { message, openStore } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const UNITS = 10;
const MESSAGES = 65;
const QUEUE = { topic: "TopicA", queueId: 0 };

function pathOf(root: string, unit: number): string {
  return join(root, "consumequeue", "TopicA", "0", segmentFileName((unit - (unit % UNITS)) * CONSUME_QUEUE_UNIT_LENGTH));
}

/** In place: somebody may have it mapped. */
function flip(root: string, unit: number, bit: number): void {
  const file = openSync(pathOf(root, unit), "r+");
  const at = (unit % UNITS) * CONSUME_QUEUE_UNIT_LENGTH + (bit >> 3);
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] as number) ^ (0x80 >> (bit & 7));
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

function zero(root: string, unit: number): void {
  const file = openSync(pathOf(root, unit), "r+");
  writeSync(
    file,
    new Uint8Array(CONSUME_QUEUE_UNIT_LENGTH),
    0,
    CONSUME_QUEUE_UNIT_LENGTH,
    (unit % UNITS) * CONSUME_QUEUE_UNIT_LENGTH,
  );
  closeSync(file);
}

function contentOf(root: string): string[] {
  return [0, 10, 20, 30, 40, 50, 60].map((unit) => readFileSync(pathOf(root, unit)).toString("hex"));
}

async function written(
  t: ExecutionContext,
  more: MessageStoreOptions = {},
): Promise<{ root: string; open: () => Promise<MessageStore> }> {
  const root = temporaryDirectory(t);
  const options = {
    storePathRootDir: root,
    mappedFileSizeConsumeQueue: UNITS * CONSUME_QUEUE_UNIT_LENGTH,
    messageIndexEnable: false,
    mappedFileSizeCommitLog: 4096,
    ...more,
  };
  const open = async (): Promise<MessageStore> => await openStore(t, options);
  const store = await open();
  for (let n = 0; n < MESSAGES; n++) {
    await store.putMessage(message({ topic: "TopicB" }));
    await store.putMessage(message({ tags: `Tag${n}` }));
  }
  await store.close();
  return { root, open };
}

test("what a flipped bit has made of an old file is built again from the log while the store is open, and told", async (t) => {
  const { root, open } = await written(t);
  const good = contentOf(root);
  for (const [unit, bit] of [
    [3, 159],
    [1, 40],
    [19, 80],
    [22, 62],
  ] as const) {
    flip(root, unit, bit);
    const store = await open();
    t.deepEqual(store.recovery.dispatch.rebuiltQueues, [], "recovery trusts old files");
    const events: RebuiltEvent[] = [];
    store.on("rebuilt", (event) => events.push(event));
    await until(() => events.length > 0);
    t.like(events, [{ service: "dispatch", path: pathOf(root, unit) }]);
    t.regex(events[0]?.reason ?? "", new RegExp(`from=${unit} to=${unit + 1} rebuilt=1$`));
    t.deepEqual(contentOf(root), good);
    await store.close();
  }
  const last = await open();
  const events: RebuiltEvent[] = [];
  last.on("rebuilt", (event) => events.push(event));
  await last.putMessage(message());
  await last.close();
  t.deepEqual(events, [], "the checksums are right again");
});

test("a unit is believed only if its record says so: a reader is refused, a consumer waits, and nothing is missed", async (t) => {
  const { root, open } = await written(t);
  const good = contentOf(root);
  rmSync(join(root, "millrace.queueChecksums")); // nothing is compared in the background
  const store = await open();
  for (const [unit, bit] of [
    [5, 56],
    [14, 60],
    [33, 0],
    [38, 30],
    [44, 92],
    [64, 64],
  ] as const) {
    flip(root, unit, bit);
    let code = "";
    try {
      store.getMessage({ ...QUEUE, queueOffset: unit }).release();
    } catch (error) {
      code = (error as NodeJS.ErrnoException).code ?? "";
    }
    t.is(code, "ERR_CONSUME_QUEUE_CORRUPT", `unit=${unit} bit=${bit}`);
    await until(() => contentOf(root).every((hex, i) => hex === good[i]));
    using found = store.getMessage({ ...QUEUE, queueOffset: unit });
    t.is(found.messages[0]?.queueOffset, unit);
  }
  for (const unit of [7, 8, 27, 51]) flip(root, unit, 58);
  const seen: number[] = [];
  for await (const batch of store.consume({ ...QUEUE, from: "earliest" })) {
    seen.push(...batch.messages.map(({ queueOffset }) => queueOffset));
    if (batch.nextOffset === MESSAGES) break;
  }
  t.deepEqual(
    seen,
    Array.from({ length: MESSAGES }, (_, i) => i),
  );
  t.deepEqual(contentOf(root), good);
});

test("a unit that leads to a message of another queue of the log is not believed, whoever reads it", async (t) => {
  const { root, open } = await written(t);
  rmSync(join(root, "millrace.queueChecksums"));
  const store = await open();
  const unit = readFileSync(pathOf(root, 2)).subarray(2 * CONSUME_QUEUE_UNIT_LENGTH, 3 * CONSUME_QUEUE_UNIT_LENGTH);
  const file = openSync(pathOf(root, 1), "r+");
  writeSync(file, unit, 0, unit.length, CONSUME_QUEUE_UNIT_LENGTH);
  closeSync(file);
  t.throws(() => store.getMessageStoreTimestamp("TopicA", 0, 1), { code: "ERR_CONSUME_QUEUE_CORRUPT" });
});

test("a unit of zeros is no message that retention has taken: it is built again, whatever the log begins with", async (t) => {
  const { root, open } = await written(t);
  const good = contentOf(root);
  const first = join(root, "commitlog", readdirSync(join(root, "commitlog"))[0] ?? "");
  utimesSync(first, 0, 0);
  const store = await open();
  const { minOffset } = await store.deleteExpiredFiles();
  t.true(minOffset > 0);
  const unit = 33;
  zero(root, unit);
  t.throws(() => store.getMessage({ ...QUEUE, queueOffset: unit }), { code: "ERR_CONSUME_QUEUE_CORRUPT" });
  await until(() => readFileSync(pathOf(root, unit)).toString("hex") === good[3]);
  using found = store.getMessage({ ...QUEUE, queueOffset: unit });
  t.is(found.messages[0]?.queueOffset, unit);
  await store.close();
  zero(root, unit);
  const again = await open(); // the scrub finds it too
  await until(() => readFileSync(pathOf(root, unit)).toString("hex") === good[3]);
  await again.close();
});

test("a unit that the log has no record for is a corrupt record in the end: a consumer can go on after it", async (t) => {
  const { root, open } = await written(t, { enabledAppendPropCRC: false });
  const store = await open();
  const lost = 20;
  using found = store.getMessage({ ...QUEUE, queueOffset: lost });
  const offset = found.messages[0]?.physicalOffset ?? -1;
  await store.close();
  const segment = join(root, "commitlog", segmentFileName(offset - (offset % 4096)));
  flipBit(segment, (offset % 4096) + QUEUE_ID_OFFSET + 3); // its CRC is the body's: nothing says that the queue is another
  const again = await open();
  const seen: number[] = [];
  for await (const batch of again.consume({ ...QUEUE, from: "earliest", onCorrupt: "skip" })) {
    seen.push(...batch.messages.map(({ queueOffset }) => queueOffset));
    if (batch.nextOffset === MESSAGES) break;
  }
  t.deepEqual(
    seen,
    Array.from({ length: MESSAGES }, (_, i) => i).filter((i) => i !== lost),
  );
  t.throws(() => again.getMessage({ ...QUEUE, queueOffset: lost }), { code: "ERR_RECORD_CORRUPT" });
});
