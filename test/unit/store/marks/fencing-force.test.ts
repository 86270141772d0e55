import { existsSync } from "node:fs";
import { storePaths } from "@millrace/format";
import { createStorage, type Fault } from "@millrace/mapped-file";
import { ControlBlock } from "@millrace/shared-memory";
import test, { type ExecutionContext } from "ava";
import { FencingForce } from "#store/marks/fencing-force.js";
import { readStoreFence } from "#store/marks/store-fence.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

function forcing(t: ExecutionContext, faults: readonly Fault[]) {
  const root = temporaryDirectory(t);
  const storage = createStorage({ kind: "faulty", faults });
  const paths = storePaths(root);
  const { fence } = paths;
  const control = ControlBlock.attach(ControlBlock.create({}), "flush");
  return { root, storage, paths, fence, control, forceAlarm: control.forceAlarm, force: new FencingForce(storage, paths, control) };
}

function failing(code: string, syscall = "fdatasync"): () => void {
  return () => {
    throw Object.assign(new Error(`${code}: planned`), { code, syscall });
  };
}

for (const [code, syscall, isFinal] of [
  ["EIO", "fdatasync", true],
  ["ENOSPC", "fdatasync", true],
  ["EMFILE", "open", false],
  ["ENFILE", "open", false],
  ["EACCES", "open", false],
] as const) {
  test(`a force that ends with ${code} of ${syscall} is ${isFinal ? "final" : "none that failed"}`, (t) => {
    const { storage, fence, forceAlarm, force } = forcing(t, []);
    t.throws(() => force.run(7, failing(code, syscall)), { code: isFinal ? "ERR_FORCE_FAILED" : code });
    t.is(forceAlarm.isRaised, isFinal);
    t.is(readStoreFence(storage, fence)?.offset, isFinal ? 7 : undefined);
    if (isFinal) t.throws(() => force.run(7, () => {}), { code: "ERR_FORCE_FAILED" });
    else t.notThrows(() => force.run(7, () => {}));
  });
}

for (const [code, isFinal] of [
  ["EIO", true],
  ["EROFS", true],
  ["ENOSPC", false],
  ["EDQUOT", false],
  ["EMFILE", false],
] as const) {
  test(`${code} of a directory's fsync ${isFinal ? "is a failed force" : "is tried again"}`, (t) => {
    const { root, forceAlarm, force } = forcing(t, [{ operation: "syncDirectory", path: "", after: 0, times: 1, code }]);
    t.throws(() => force.syncDirectory(0, root), { code: isFinal ? "ERR_FORCE_FAILED" : code });
    t.is(forceAlarm.isRaised, isFinal);
    if (isFinal) t.throws(() => force.syncDirectory(0, root), { code: "ERR_FORCE_FAILED" });
    else t.notThrows(() => force.syncDirectory(0, root));
  });
}

test("the alarm is raised before the marker is written", (t) => {
  const { fence, paths, control, forceAlarm, storage } = forcing(t, []);
  const seen: boolean[] = [];
  const slow = Object.create(storage, { writeSmall: { value: () => seen.push(forceAlarm.isRaised) } });
  t.throws(() => new FencingForce(slow, paths, control).run(0, failing("EIO")), { code: "ERR_FORCE_FAILED" });
  t.deepEqual(seen, [true]);
  t.false(existsSync(fence));
});
