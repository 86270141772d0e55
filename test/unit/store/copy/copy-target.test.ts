import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "@millrace/mapped-file";
import test from "ava";
import { copyFailed } from "#store/copy/copy-failed.js";
import { copyInto } from "#store/copy/copy-target.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

async function write(prepared: string): Promise<number> {
  writeFileSync(join(prepared, "file"), "content");
  return 7;
}

test("a copy has its name when it is whole, and a copy that fails at any step leaves nothing", async (t) => {
  for (const operation of ["rename", "syncDirectory"] as const) {
    const parent = temporaryDirectory(t);
    const target = join(parent, "target");
    const storage = createStorage({ kind: "faulty", faults: [{ operation, path: parent, after: 0, times: 1, code: "EIO" }] });
    await t.throwsAsync(copyInto(storage, target, write), { code: "EIO" }, operation);
    t.deepEqual(readdirSync(parent), [], operation);
    t.is(await copyInto(storage, target, write), 7);
    t.deepEqual(readdirSync(parent), ["target"]);
    t.true(existsSync(join(target, "file")));
  }
});

test("what the system says of a copy has a reason only where it has a code", (t) => {
  const { message } = copyFailed(Object.assign(new Error("disk full"), { code: "ENOSPC" }), "/target");
  t.is(message, "copying failed (disk full): path=/target, reason=ENOSPC");
  t.is(copyFailed(new TypeError("no function"), "/target").message, "copying failed (no function): path=/target");
});
