import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { compareLogs } from "#scripts/load-generator/log-comparison.js";
import { CommitLogBuilder } from "../../support/commit-log-builder.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const SEGMENT_SIZE = 4096;

test("a log that is another one is found by its first other byte, one that is not there at all by that", (t) => {
  const root = temporaryDirectory(t);
  const [master, slave] = [join(root, "master"), join(root, "slave")];
  const builder = new CommitLogBuilder(SEGMENT_SIZE).fillTo(2, 500);
  builder.write(master);
  cpSync(master, slave, { recursive: true });
  const end = builder.offset;
  t.deepEqual(compareLogs(master, slave, SEGMENT_SIZE, end, 0), { bytes: end, difference: undefined });
  t.regex(
    compareLogs(master, slave, SEGMENT_SIZE, 2 * SEGMENT_SIZE, 0).difference ?? "",
    /goes on after the master's: offset=8192 /,
  );
  rmSync(join(slave, "00000000000000000000"));
  t.deepEqual(compareLogs(master, slave, SEGMENT_SIZE, end, SEGMENT_SIZE), { bytes: end - SEGMENT_SIZE, difference: undefined });
  // It has only a part of what was put while it followed.
  t.regex(
    compareLogs(master, slave, SEGMENT_SIZE, end, SEGMENT_SIZE - 1).difference ?? "",
    /begins after what it was sent: start=4096 from=4095/,
  );
  const last = join(slave, "00000000000000008192");
  const bytes = readFileSync(last);
  writeFileSync(last, bytes.fill(1, 321, 322));
  t.regex(compareLogs(master, slave, SEGMENT_SIZE, end, SEGMENT_SIZE).difference ?? "", /offset=8513 path=.*8192$/);
  rmSync(last);
  t.regex(compareLogs(master, slave, SEGMENT_SIZE, end, SEGMENT_SIZE).difference ?? "", /ENOENT/);
  rmSync(join(slave, "00000000000000004096"));
  t.regex(compareLogs(master, slave, SEGMENT_SIZE, end, 0).difference ?? "", /nothing of the master's log/);
});
