import test from "ava";
import { resolveConfig } from "#store/config/message-store-config.js";
import { ReadyAhead, readyAheadLimit } from "#store/pipeline/ready-ahead.js";

const MIB = 1024 * 1024;
const START = 300 * MIB + 17;

function configOf(mappedFileSizeCommitLog: number) {
  return resolveConfig({ storePathRootDir: "/nowhere", mappedFileSizeCommitLog });
}

test("a log that has just been opened wants little, and one that grows as much as it has grown, up to the limit", (t) => {
  const ahead = new ReadyAhead(configOf(1024 * MIB), START);
  const wanted = [0, 1, 4, 10, 60, 64, 500].map((grown) => ahead.endFor(START + grown * MIB) - START - grown * MIB);
  t.deepEqual(wanted, [6 * MIB, 6 * MIB, 6 * MIB, 10 * MIB, 60 * MIB, 64 * MIB, 64 * MIB]);
});

test("it never wants more than the next and the next-next segment", (t) => {
  const config = configOf(MIB);
  const ahead = new ReadyAhead(config, START);
  t.is(readyAheadLimit(config), 2 * MIB);
  t.is(ahead.endFor(START + 100 * MIB), START + 102 * MIB);
  t.is(readyAheadLimit(configOf(1024 * MIB)), 64 * MIB);
});

test("more is asked for when half is used up, so a dozen times for the first 64 MiB", (t) => {
  const ahead = new ReadyAhead(configOf(1024 * MIB), START);
  let wanted = ahead.endFor(START);
  let times = 0;
  for (let offset = START; offset < START + 64 * MIB; offset += 1000) {
    t.true(wanted > offset);
    if (!ahead.isShort(offset, wanted)) continue;
    wanted = ahead.endFor(offset);
    times++;
  }
  t.true(times > 3 && times < 13, `times=${times}`);
});
