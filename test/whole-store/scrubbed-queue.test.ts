import { closeSync, openSync, readFileSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, segmentFileName } from "@millrace/format";
import type { MessageStore, RebuiltEvent } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
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

function contentOf(root: string): string[] {
  return [0, 10, 20, 30, 40, 50, 60].map((unit) => readFileSync(pathOf(root, unit)).toString("hex"));
}

async function written(t: ExecutionContext): Promise<{ root: string; open: () => Promise<MessageStore> }> {
  const root = temporaryDirectory(t);
  const options = {
    storePathRootDir: root,
    mappedFileSizeConsumeQueue: UNITS * CONSUME_QUEUE_UNIT_LENGTH,
    messageIndexEnable: false,
    mappedFileSizeCommitLog: 4096,
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
