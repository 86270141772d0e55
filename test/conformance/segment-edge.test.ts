import { join } from "node:path";
import test from "ava";
import { ROCKETMQ_SERIES } from "#scripts/bench/java/java-toolchain.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { MILLRACE, rocketMq } from "./engine.js";
import { PLAIN_MESSAGE } from "./plain-message.js";
import type { ProgramMessage, ProgramOptions, Put } from "./protocol.js";
import { rocketMqTests } from "./rocketmq-tests.js";
import { compareTwins } from "./twin-directories.js";

const SEGMENT = 16 * 1024;
const RECORD_OVERHEAD = 91;
const BLANK = 8;
const TOPIC = "Edge";
const FIRST = 4000;
const LEFT = [0, 1, 7, 8, 9];
const OPTIONS: ProgramOptions = {
  mappedFileSizeCommitLog: SEGMENT,
  mappedFileSizeConsumeQueue: 400,
  maxHashSlotNum: 100,
  maxIndexNum: 400,
  maxMessageSize: SEGMENT,
  flushDiskType: "ASYNC_FLUSH",
  messageDelayLevel: "1d",
  enabledAppendPropCRC: false,
  fileReservedTime: 72,
  writeWithoutMmap: false,
};

/** A message whose record has this length. */
function record(length: number): ProgramMessage {
  return { ...PLAIN_MESSAGE, topic: TOPIC, body: Buffer.alloc(length - RECORD_OVERHEAD - TOPIC.length, "e").toString("base64") };
}

/** One record of a segment, and then so much that `left` bytes stay, if it may lie there. */
function segmentWith(left: number, isBatch: boolean): Put[] {
  const rest = SEGMENT - FIRST - left;
  const messages = isBatch ? [record(200), record(rest - 200)] : [record(rest)];
  return [
    { messages: [record(FIRST)], isBatch: false },
    { messages, isBatch },
  ];
}

const cases = ROCKETMQ_SERIES.flatMap((series) => [false, true].map((writeWithoutMmap) => ({ series, writeWithoutMmap })));

rocketMqTests("the ends of segments", cases, ({ series, writeWithoutMmap }, toolchain) => {
  const how = writeWithoutMmap ? "through the channel" : "mapped";
  test.serial(
    `a record or a batch that leaves 0 to 9 bytes of a segment lies where RocketMQ ${series} puts it, written ${how}`,
    async (t) => {
      t.timeout(120_000);
      const programs = new Map([MILLRACE, rocketMq(toolchain, series)].map((engine) => [engine.name, engine.start()]));
      t.teardown(() => Promise.all([...programs.values()].map((program) => program.kill())));
      const root = temporaryDirectory(t);
      const ends = [false, true].flatMap((isBatch) => LEFT.map((left) => ({ isBatch, left })));
      const options = { ...OPTIONS, writeWithoutMmap };
      await Promise.all(
        ends.map(async ({ isBatch, left }) => {
          const directory = join(root, `${isBatch}-${left}`);
          const answers = await compareTwins(programs, directory, options, segmentWith(left, isBatch), true);
          t.is(answers[1]?.offset, left < BLANK ? SEGMENT : FIRST, `left=${left} isBatch=${isBatch}`);
        }),
      );
    },
  );
});
