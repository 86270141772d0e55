import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH } from "@millrace/format";
import test from "ava";
import { FIXTURE_SIZES, FIXTURES_DIRECTORY, passDelayedMessages } from "../support/fixture-store.js";
import { filesBelow } from "../support/queue-directory.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { openStore } from "../support/temporary-store.js";

const UNIT = CONSUME_QUEUE_UNIT_LENGTH;

/** Changes the file of every queue; `units` are in use. */
function changeFiles(queues: string, change: (file: Buffer, units: number) => void): void {
  for (const [path, hex] of filesBelow(queues)) {
    const file = Buffer.from(hex, "hex");
    let units = 0;
    while (units < file.length / UNIT && file.readInt32BE(units * UNIT + 8) > 0) units++;
    change(file, units);
    writeFileSync(join(queues, path), file);
  }
}

/** What can happen to the ConsumeQueues. */
const MISHAPS: readonly [string, (queues: string) => void][] = [
  ["untouched", () => {}],
  ["deleted", (queues) => rmSync(queues, { recursive: true })],
  ["one topic deleted", (queues) => rmSync(join(queues, "TopicA"), { recursive: true })],
  [
    "files deleted",
    (queues) => {
      for (const path of filesBelow(queues).keys()) rmSync(join(queues, path));
    },
  ],
  ["zeroed", (queues) => changeFiles(queues, (file) => file.fill(0))],
  ["last unit zeroed", (queues) => changeFiles(queues, (file, units) => file.fill(0, (units - 1) * UNIT, units * UNIT))],
  ["last two units zeroed", (queues) => changeFiles(queues, (file, units) => file.fill(0, Math.max(0, units - 2) * UNIT))],
  ["cut in the middle of a unit", (queues) => changeFiles(queues, (file, units) => file.fill(0, units * UNIT - 15))],
  ["last unit torn in its tags", (queues) => changeFiles(queues, (file, units) => file.fill(0, units * UNIT - 3))],
  ["shifted to the front", (queues) => changeFiles(queues, (file) => file.copyWithin(0, UNIT).fill(0, file.length - UNIT))],
  ["shifted to the back", (queues) => changeFiles(queues, (file) => file.copyWithin(UNIT, 0))],
  ["all garbage", (queues) => changeFiles(queues, (file) => file.fill("garbage"))],
  [
    "garbage in the middle",
    (queues) => changeFiles(queues, (file, units) => file.fill("g", Math.floor(units / 2) * UNIT, units * UNIT)),
  ],
  ["garbage behind the end", (queues) => changeFiles(queues, (file, units) => file.fill("g", units * UNIT))],
  [
    "garbage in a later file",
    (queues) => {
      for (const path of filesBelow(queues).keys())
        writeFileSync(join(queues, path, "..", "00000000000000000200"), Buffer.alloc(200, 3));
    },
  ],
];

const IN_EVERY_FIXTURE = ["untouched", "deleted", "last unit zeroed"];

for (const [what, happen] of MISHAPS) {
  const names = ["rocketmq-5.3.3", ...(IN_EVERY_FIXTURE.includes(what) ? ["rocketmq-4.9.8", "rocketmq-5.3.3-property-crc"] : [])];
  test.serial(`the ConsumeQueues come back byte for byte: ${what}`, async (t) => {
    for (const [index, name] of names.entries()) {
      const root = temporaryDirectory(t);
      cpSync(join(FIXTURES_DIRECTORY, name), root, { recursive: true });
      passDelayedMessages(root);
      const queues = join(root, "consumequeue");
      const expected = filesBelow(queues);
      happen(queues);
      if ((what.length + index) % 2 === 0) writeFileSync(join(root, "abort"), "1"); // after a crash and after a clean end
      const store = await openStore(t, { storePathRootDir: root, ...FIXTURE_SIZES, messageIndexEnable: false });
      const { dispatch, maxOffset } = store.recovery;
      if (what === "untouched") t.deepEqual([dispatch.reputFromOffset, Object.keys(dispatch.rows)], [maxOffset, ["intact"]]);
      else t.notDeepEqual(Object.keys(dispatch.rows), ["intact"], what);
      await store.close();
      t.deepEqual(filesBelow(queues), expected, name);
    }
  });
}

test.serial("garbage that is no queue of the log is removed, and the queue is empty", async (t) => {
  const root = temporaryDirectory(t);
  cpSync(join(FIXTURES_DIRECTORY, "rocketmq-5.3.3"), root, { recursive: true });
  const foreign = join(root, "consumequeue", "Foreign", "7");
  mkdirSync(foreign, { recursive: true });
  writeFileSync(
    join(foreign, "00000000000000000000"),
    readFileSync(join(root, "consumequeue", "TopicA", "0", "00000000000000000000")),
  );
  const store = await openStore(t, { storePathRootDir: root, ...FIXTURE_SIZES });
  t.deepEqual(store.recovery.dispatch.cutQueues, ["Foreign-7"]);
  await store.close();
  t.deepEqual(readdirSync(foreign), []);
});

test.serial(
  "a unit that points into a ConsumeQueueExt is a bad unit where there is no such directory: the queue is built again from it on",
  async (t) => {
    for (const [code, isExt] of [
      [-(2n ** 63n), true],
      [-(2n ** 31n) - 1n, true],
      [-(2n ** 31n), false],
      [2n ** 40n, false],
    ] as const) {
      const root = temporaryDirectory(t); // RocketMQ's own files: nothing of ours says what was in them
      cpSync(join(FIXTURES_DIRECTORY, "rocketmq-5.3.3"), root, { recursive: true });
      const path = join(root, "consumequeue", "TopicA", "0", "00000000000000000000");
      const good = readFileSync(path);
      const file = Buffer.from(good);
      file.writeBigInt64BE(code, UNIT + 12);
      writeFileSync(path, file);
      const store = await openStore(t, { storePathRootDir: root, ...FIXTURE_SIZES });
      t.deepEqual(store.recovery.dispatch.rebuiltQueues, isExt ? ["TopicA-0"] : []);
      await store.close();
      if (isExt) t.deepEqual(readFileSync(path), good);
    }
  },
);
