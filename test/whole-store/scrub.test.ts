import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { QUEUE_ID_OFFSET, segmentFileName } from "@millrace/format";
import type { Fault } from "@millrace/mapped-file";
import type { CorruptEvent, MessageStore, MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import { flipBit } from "../support/flip-bit.js";
import { leftByCrash } from "../support/left-by-crash.js";
import { chosenSeed, seededRandom } from "../support/random.js";
import { numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";
import { until } from "../support/until.js";

const INDEX = { maxHashSlotNum: 100, maxIndexNum: 200 };
const COUNT = 450;

async function filledStore(t: ExecutionContext, options: MessageStoreOptions = {}): Promise<MessageStore> {
  const store = await openStore(t, { ...INDEX, scrubBytesPerSecond: 0, ...options });
  const puts = Array.from({ length: COUNT }, (_, n) => store.putMessage(numbered(n, 400, { queueId: n % 2, keys: `key${n}` })));
  await Promise.all(puts);
  await until(() => store.dispatchBehindBytes === 0);
  await store.flush();
  return store;
}

/** As a disk does it: the file says nothing of it. */
function rot(path: string, position: number, bit: number): void {
  const { mtimeNs } = statSync(path, { bigint: true });
  flipBit(path, position, bit);
  execFileSync("touch", ["-d", `@${mtimeNs / 1_000_000_000n}.${String(mtimeNs % 1_000_000_000n).padStart(9, "0")}`, path]);
}

function segmentPath({ config }: MessageStore, index: number): string {
  return join(config.storePathCommitLog, segmentFileName(index * SEGMENT_SIZE));
}

function corruptEvents(store: MessageStore): CorruptEvent[] {
  const told: CorruptEvent[] = [];
  store.on("corrupt", (event) => told.push(event));
  return told;
}

test.serial("all is verified on request, and what is good is good", async (t) => {
  const store = await filledStore(t);
  const told = corruptEvents(store);
  const progress: number[] = [];
  const report = await store.verify({ onProgress: ({ bytesVerified }) => progress.push(bytesVerified) });
  t.deepEqual(report.corrupt, []);
  t.deepEqual(report.damagedIndexFiles, []);
  t.is(report.bytesTotal, store.maxPhysicalOffset);
  t.is(report.bytesVerified, report.bytesTotal);
  t.is(progress.at(-1), report.bytesTotal);
  t.deepEqual(
    progress,
    progress.toSorted((a, b) => a - b),
  );
  t.true(store.stats().scrub.bytes > 0.9 * report.bytesTotal);
  t.is(store.stats().scrub.damages, 0);
  t.deepEqual(told, []);
});

test.serial("verifying can be aborted, and ends with the store", async (t) => {
  const store = await filledStore(t);
  await t.throwsAsync(store.verify({ signal: AbortSignal.abort("no") }), { code: "ERR_ABORTED" });
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  await t.throwsAsync(store.verify({ signal: controller.signal, onProgress }), { code: "ERR_ABORTED" });
  const running = store.verify({ onProgress: () => void store.close() });
  await t.throwsAsync(running, { code: "ERR_ABORTED" });
  await t.throwsAsync(store.verify(), { code: "ERR_STORE_CLOSED" });
});

for (const enabledAppendPropCRC of [true, false]) {
  const kind = enabledAppendPropCRC
    ? "with a CRC of the whole record"
    : "with a CRC of the body alone, once its segment has been read";
  test.serial(`whatever bit of a finished segment's records has flipped is found: ${kind}`, async (t) => {
    const seed = chosenSeed();
    t.log(`seed=${seed}`);
    const random = seededRandom(seed);
    const store = await filledStore(t, { enabledAppendPropCRC });
    t.deepEqual((await store.verify()).corrupt, []);
    const path = segmentPath(store, 1);
    for (let flip = 0; flip < 40; flip++) {
      const [position, bit] = [random(SEGMENT_SIZE - 1000), random(8)];
      rot(path, position, bit);
      const { corrupt } = await store.verify();
      rot(path, position, bit);
      t.is(corrupt.length, 1, `position=${position} bit=${bit} found=${JSON.stringify(corrupt)}`);
      const { physicalOffset = 0, size = 0 } = corrupt[0] ?? {};
      t.true(physicalOffset <= SEGMENT_SIZE + position && SEGMENT_SIZE + position < physicalOffset + size);
    }
    t.deepEqual((await store.verify()).corrupt, []);
  });
}

test.serial("the scrub finds by itself what nobody reads, and tells where", async (t) => {
  const filled = await filledStore(t);
  await filled.close();
  rot(segmentPath(filled, 1), 3000 + QUEUE_ID_OFFSET, 0);
  const store = await openStore(t, { ...INDEX, storePathRootDir: filled.config.storePathRootDir, scrubBytesPerSecond: 2 ** 30 });
  const told = corruptEvents(store);
  await until(() => told.length > 0);
  const [{ service, code, physicalOffset = 0, length = 0 } = {}] = told;
  t.is(service, "scrub");
  t.is(code, "ERR_RECORD_CORRUPT");
  t.true(physicalOffset <= SEGMENT_SIZE + 3000 + QUEUE_ID_OFFSET && SEGMENT_SIZE + 3000 < physicalOffset + length);
  t.is(store.stats().scrub.damages, 1);
});

for (const [isAddedTo, isKilled] of [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
]) {
  const then = `${isAddedTo ? ", although keys were added to it" : ""}${isKilled ? ", and the process was killed" : ""}`;
  test.serial(
    `the last index file that has lost a bit after a clean end is found, and the next opening builds it again${then}`,
    async (t) => {
      const built = await filledStore(t);
      await built.close();
      const { storePathRootDir } = built.config;
      const directory = join(storePathRootDir, "index");
      const last = join(directory, readdirSync(directory).sort().at(-1) ?? "");
      rot(last, 460, 3); // in the first item
      const store = await openStore(t, { ...INDEX, storePathRootDir });
      const told = corruptEvents(store);
      await until(() => told.length > 0);
      t.is(told[0]?.code, "ERR_INDEX_FILE_CORRUPT");
      t.is(told[0]?.path, last);
      if (isAddedTo) await store.putMessage(numbered(COUNT, 400, { keys: "late" }));
      await until(() => store.dispatchBehindBytes === 0);
      t.deepEqual((await store.verify()).damagedIndexFiles, [last], "as often as it is asked for");
      await store.flush();
      const left = isKilled ? leftByCrash(t, storePathRootDir) : storePathRootDir;
      await store.close();
      const again = await openStore(t, { ...INDEX, storePathRootDir: left });
      t.is(again.recovery.lastExitOk, !isKilled);
      t.is(again.recovery.dispatch.indexDamage?.path, join(left, "index", basename(last)));
      await until(() => again.dispatchBehindBytes === 0);
      t.deepEqual((await again.verify()).damagedIndexFiles, []);
      t.is(again.queryMessage({ topic: "TopicA", key: "late" }).messages.length, isAddedTo ? 1 : 0);
      t.is(again.queryMessage({ topic: "TopicA", key: "key399" }).messages.length, 1);
      await again.close();
      const healed = await openStore(t, { ...INDEX, storePathRootDir: left });
      t.is(healed.recovery.dispatch.indexDamage, undefined);
    },
  );
}

const REFUSALS: readonly Fault[] = [
  { operation: "write", path: "millrace.index", after: 0, code: "ENOSPC" },
  { operation: "descriptor", path: "millrace.index", after: 1, times: 1, code: "EMFILE" },
];
for (const fault of REFUSALS) {
  for (const count of [5, 300]) {
    const then = count < INDEX.maxIndexNum ? "had more keys" : "was full";
    test.serial(`a seal that could not be written (${fault.code}) leaves none of before the file ${then}`, async (t) => {
      const built = await filledStore(t);
      await built.close();
      const { storePathRootDir } = built.config;
      const refused = await openStore(t, { ...INDEX, storePathRootDir, scrubBytesPerSecond: 0 }, [fault]);
      await Promise.all(Array.from({ length: count }, (_, n) => refused.putMessage(numbered(n, 400, { keys: `more${n}` }))));
      await until(() => refused.dispatchBehindBytes === 0);
      await refused.close();
      for (let life = 0; life < 2; life++) {
        const store = await openStore(t, { ...INDEX, storePathRootDir, scrubBytesPerSecond: 0 });
        t.true(store.recovery.lastExitOk);
        t.is(store.recovery.dispatch.indexDamage, undefined);
        t.deepEqual((await store.verify()).damagedIndexFiles, []);
        await store.close();
      }
    });
  }
}

test.serial("the last index file is not taken for damaged while keys are added to it", async (t) => {
  const built = await filledStore(t);
  await built.close();
  const store = await openStore(t, { ...INDEX, storePathRootDir: built.config.storePathRootDir });
  const told = corruptEvents(store);
  for (let n = 0; n < 50; n++) {
    await store.putMessage(numbered(n, 400, { keys: `more${n}` }));
    t.deepEqual((await store.verify()).damagedIndexFiles, []);
  }
  t.deepEqual(told, []);
});

test.serial("a finished index file that has lost a bit is found, and the next opening builds it again", async (t) => {
  const store = await filledStore(t);
  const directory = join(store.config.storePathRootDir, "index");
  const [first = ""] = readdirSync(directory).sort();
  rot(join(directory, first), 100, 3);
  const told = corruptEvents(store);
  const { damagedIndexFiles } = await store.verify();
  t.deepEqual(damagedIndexFiles, [join(directory, first)]);
  t.is(told[0]?.code, "ERR_INDEX_FILE_CORRUPT");
  await store.close();
  const again = await openStore(t, { ...INDEX, storePathRootDir: store.config.storePathRootDir });
  t.is(again.recovery.dispatch.indexDamage?.path, join(directory, first));
  t.deepEqual((await again.verify()).damagedIndexFiles, []);
});
