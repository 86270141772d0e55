import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONSUME_QUEUE_UNIT_LENGTH, segmentFileName } from "@millrace/format";
import test from "ava";
import { DispatchingStore } from "../../../support/dispatching-store.js";
import { chosenSeed, seededRandom } from "../../../support/random.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { message, openStore } from "../../../support/temporary-store.js";
import { dispatchedAll } from "../../../support/until.js";

const SIZE = 4096;
const UNITS = 40;
const MESSAGES = 400;
const EXPIRED_SEGMENTS = 4;
const CASES = 20;
const OPTIONS = {
  mappedFileSizeCommitLog: SIZE,
  mappedFileSizeConsumeQueue: UNITS * CONSUME_QUEUE_UNIT_LENGTH,
  messageIndexEnable: false,
};

type Damage = (bytes: Buffer) => void;

function pathOf(root: string, unit: number): string {
  return join(root, "consumequeue/TopicA/0", segmentFileName((unit - (unit % UNITS)) * CONSUME_QUEUE_UNIT_LENGTH));
}

function change(root: string, unit: number, damage: Damage): void {
  const path = pathOf(root, unit);
  const bytes = readFileSync(path);
  const at = (unit % UNITS) * CONSUME_QUEUE_UNIT_LENGTH;
  damage(bytes.subarray(at, at + CONSUME_QUEUE_UNIT_LENGTH));
  writeFileSync(path, bytes, { flag: "r+" });
}

test("whatever bits are flipped and whatever units are zeros, a queue begins with the first message that is still there", async (t) => {
  const seed = chosenSeed();
  t.log(`MILLRACE_SEED=${seed}`);
  const random = seededRandom(seed);
  const master = temporaryDirectory(t);
  const store = await openStore(t, { storePathRootDir: master, ...OPTIONS });
  for (let n = 0; n < MESSAGES; n++) {
    await store.putMessage(message({ tags: `Tag${n}` }));
    if (n % 3 === 0) await store.putMessage(message({ topic: "TopicB" }));
  }
  await dispatchedAll(store);
  const offsetOf = (queueOffset: number): number => {
    using found = store.getMessage({ topic: "TopicA", queueId: 0, queueOffset });
    return found.messages[0]?.physicalOffset ?? -1;
  };
  let first = 0;
  while (offsetOf(first) < EXPIRED_SEGMENTS * SIZE) first++;
  await store.close();

  for (let n = 0; n < CASES; n++) {
    const root = temporaryDirectory(t);
    cpSync(master, root, { recursive: true });
    const dispatching = await DispatchingStore.open({ storePathRootDir: root, ...OPTIONS });
    const good = readFileSync(pathOf(root, first));
    const said: string[] = [];
    for (let count = 1 + random(2); count > 0; count--) {
      // As often in the neighbourhood of the first live unit as anywhere.
      const unit = random(2) === 0 ? first - 3 + random(6) : random(MESSAGES - 60);
      const bit = random(8 * CONSUME_QUEUE_UNIT_LENGTH);
      const length = random(3) === 0 ? 1 + random(60) : 0;
      said.push(length > 0 ? `zeros [${unit}, ${unit + length})` : `bit ${bit} of unit ${unit}`);
      if (length === 0)
        change(root, unit, (bytes) => bytes.writeUInt8((bytes[bit >> 3] as number) ^ (0x80 >> (bit & 7)), bit >> 3));
      for (let zero = unit; zero < unit + length; zero++) change(root, zero, (bytes) => bytes.fill(0));
    }
    dispatching.expire(EXPIRED_SEGMENTS * SIZE);
    const { minOffset } = dispatching.reader.getMessage({ topic: "TopicA", queueId: 0, queueOffset: 0 });
    t.is(minOffset, first, said.join(", "));
    await dispatching.closeWell();
    const unit = (first % UNITS) * CONSUME_QUEUE_UNIT_LENGTH;
    const bytes = readFileSync(pathOf(root, first)).subarray(unit, unit + 12);
    if (said.every((one) => !one.startsWith("bit"))) t.deepEqual(bytes, good.subarray(unit, unit + 12), said.join(", "));
  }
});
