import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH } from "@millrace/format";
import type { MessageStoreOptions } from "@millrace/store";
import test, { type ExecutionContext } from "ava";
import type { DispatchReport } from "#store/recover/recovery-report.js";
import { DispatchingStore } from "../support/dispatching-store.js";
import { FIXTURE_SIZES, FIXTURES_DIRECTORY, passDelayedMessages } from "../support/fixture-store.js";
import { filesBelow } from "../support/queue-directory.js";
import { memoryDirectory, temporaryDirectory } from "../support/temporary-directory.js";
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

const FIXTURES = ["rocketmq-5.3.3", "rocketmq-4.9.8", "rocketmq-5.3.3-property-crc"];
/** Of these with all its threads too; what recovery decides, and what dispatching then does, is the same on one. */
const IN_WHOLE_STORE = ["untouched", "deleted", "last unit zeroed"];

interface OpenedFixture {
  readonly recovery: { readonly dispatch: DispatchReport; readonly maxOffset: number };
  close(): Promise<void>;
}

/** On this thread: recovered, and dispatched up to the end of the log. */
async function openHere(_t: ExecutionContext, options: MessageStoreOptions): Promise<OpenedFixture> {
  const store = await DispatchingStore.open(options);
  const { recovery } = store.directory;
  store.dispatchTo(recovery.maxOffset, []);
  return { recovery, close: () => store.closeWell() };
}

for (const [what, happen] of MISHAPS) {
  const ways: readonly (readonly [string, typeof openHere])[] = [
    ...FIXTURES.map((name) => [name, openHere] as const),
    ...(IN_WHOLE_STORE.includes(what) ? [["rocketmq-5.3.3", openStore] as const] : []),
  ];
  test.serial(`the ConsumeQueues come back byte for byte: ${what}`, async (t) => {
    for (const [index, [name, open]] of ways.entries()) {
      const root = memoryDirectory(t);
      cpSync(join(FIXTURES_DIRECTORY, name), root, { recursive: true });
      passDelayedMessages(root);
      const queues = join(root, "consumequeue");
      const expected = filesBelow(queues);
      happen(queues);
      if ((what.length + index) % 2 === 0) writeFileSync(join(root, "abort"), "1"); // after a crash and after a clean end
      const store = await open(t, { storePathRootDir: root, ...FIXTURE_SIZES, messageIndexEnable: false });
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
      const store = await openHere(t, { storePathRootDir: root, ...FIXTURE_SIZES });
      t.deepEqual(store.recovery.dispatch.rebuiltQueues, isExt ? ["TopicA-0"] : []);
      await store.close();
      if (isExt) t.deepEqual(readFileSync(path), good);
    }
  },
);
