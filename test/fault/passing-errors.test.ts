import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, SCHEDULE_TOPIC } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import type { MessageStore, MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { memoryDirectory } from "../support/temporary-directory.js";
import { numbered, numberOf, openStore } from "../support/temporary-store.js";
import { dispatchedAll, until } from "../support/until.js";

const SEGMENT = 4096;
const COUNT = 20;
const QUEUE = { topic: "TopicA", queueId: 0 };
/** Of the log's first segment. Each thread counts for itself; two fail, so that one is left where the scrub has met the first. */
const FIRST_SEGMENT = { path: "commitlog/00000000000000000000", after: 0, times: 2 } as const;

const PASSING: Record<string, Fault> = {
  "a mapping for which there is no memory": { ...FIRST_SEGMENT, operation: "map", code: "ENOMEM" },
  "an opening that ends in an I/O error": { ...FIRST_SEGMENT, operation: "open", code: "EIO" },
};

/** A closed store, the beginning of which is not in the last segment. */
async function written(t: ExecutionContext, delayed: boolean): Promise<MessageStoreOptions> {
  const options = {
    storePathRootDir: memoryDirectory(t),
    mappedFileSizeCommitLog: SEGMENT,
    messageIndexEnable: false,
    messageDelayLevel: "3s",
  };
  const store = await openStore(t, options);
  for (let n = 0; n < COUNT; n++) await store.putMessage(numbered(n, 100, delayed ? { delayTimeLevel: 1 } : {}));
  for (let n = 0; n < COUNT; n++) await store.putMessage(numbered(n, 500, { topic: "TopicB" }));
  await store.close();
  return options;
}

/** Opened with the fault, which main has behind it. */
async function openFaulty(t: ExecutionContext, options: MessageStoreOptions, fault: Fault): Promise<MessageStore> {
  const store = await openStore(t, options, [fault]);
  await until(() => {
    try {
      return store.lookMessageByOffset(0) !== undefined;
    } catch {
      return false;
    }
  });
  return store;
}

/** In place: somebody may have it mapped. */
function damage({ storePathRootDir = "" }: MessageStoreOptions, queue: string, unit: number): void {
  const file = openSync(join(storePathRootDir, "consumequeue", queue, "0".repeat(20)), "r+");
  writeSync(file, Buffer.from([0, 0, 0, 0, 0, 0, 0x12, 0x34]), 0, 8, unit * CONSUME_QUEUE_UNIT_LENGTH);
  closeSync(file);
}

for (const [what, fault] of Object.entries(PASSING)) {
  test(`${what}, while a unit is built again, makes no corrupt record of it: a consumer that skips those misses nothing`, async (t) => {
    const options = await written(t, false);
    const store = await openFaulty(t, options, fault);
    damage(options, "TopicA/0", 1);
    const seen: number[] = [];
    let corrupt = 0;
    for await (const batch of store.consume({ ...QUEUE, from: "earliest", onCorrupt: "skip" })) {
      seen.push(...batch.messages.map(({ body }) => numberOf(body)));
      corrupt += batch.corrupt;
      if (batch.nextOffset === COUNT) break;
    }
    t.deepEqual([seen, corrupt], [Array.from({ length: COUNT }, (_, n) => n), 0]);
    await store.close();
  });
}

test("a passing error while a unit of a delay level is built again costs no delayed message", async (t) => {
  const options = await written(t, true);
  const store = await openFaulty(t, options, PASSING["a mapping for which there is no memory"] as Fault);
  damage(options, `${SCHEDULE_TOPIC}/0`, 1);
  await until(() => store.getMaxOffsetInQueue("TopicA", 0) === COUNT);
  t.like(store.stats().schedule, { delivered: COUNT, skipped: 0 });
  await store.close();
});

test("a segment that cannot be mapped for want of memory is waited for by puts, and ends no store", async (t) => {
  const fault: Fault = { operation: "map", path: "commitlog", after: 0, times: 3, code: "ENOMEM" };
  const store = await openStore(t, { mappedFileSizeCommitLog: SEGMENT }, [fault]);
  for (let n = 0; n < COUNT; n++) t.is((await store.putMessage(numbered(n, 1000))).status, "PUT_OK");
  t.is(store.stats().state, "running");
  await dispatchedAll(store);
  await store.close();
});

test("where no segment can be mapped, puts are answered as where none can be allocated, until it can", async (t) => {
  const fault: Fault = { operation: "map", path: "commitlog", after: 0, times: 700, code: "ENOMEM" };
  const store = await openStore(t, {}, [fault]);
  const first = await store.putMessage(numbered(0));
  t.is(first.status, "CREATE_MAPPED_FILE_FAILED");
  t.is(store.stats().state, "running");
  await until(async () => (await store.putMessage(numbered(1))).status === "PUT_OK");
  await store.close();
});
