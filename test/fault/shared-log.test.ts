import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore } from "../support/temporary-store.js";

test("a log that lies elsewhere has one owner, whatever the roots and the links that lead to it", async (t) => {
  const base = temporaryDirectory(t);
  const log = join(base, "log");
  const link = join(base, "link");
  mkdirSync(log);
  symlinkSync(log, link);
  const linkedRoot = join(base, "c");
  mkdirSync(linkedRoot);
  symlinkSync(log, join(linkedRoot, "commitlog"));
  const first = await openStore(t, { storePathRootDir: join(base, "a"), storePathCommitLog: log });
  t.is((await first.putMessage(numbered(1))).status, "PUT_OK");
  const others = [
    { storePathRootDir: join(base, "b"), storePathCommitLog: log },
    { storePathRootDir: join(base, "b"), storePathCommitLog: link },
    { storePathRootDir: linkedRoot },
  ];
  for (const options of others)
    await t.throwsAsync(openStore(t, options), { code: "ERR_STORE_LOCKED", message: /path=.*log\.lock$/ });
  await first.close();
  t.true(existsSync(`${log}.lock`));
  const next = await openStore(t, { storePathRootDir: linkedRoot });
  t.true(next.maxPhysicalOffset > 0, "and the roots that were refused hold no lock");
  await next.close();
});

test("the log of another root is locked with that root", async (t) => {
  const base = temporaryDirectory(t);
  const owner = await openStore(t, { storePathRootDir: join(base, "a") });
  const options = { storePathRootDir: join(base, "b"), storePathCommitLog: join(base, "a", "commitlog") };
  await t.throwsAsync(openStore(t, options), { code: "ERR_STORE_LOCKED", message: /path=.*a\/lock$/ });
  await owner.close();
  const guest = await openStore(t, options);
  await t.throwsAsync(openStore(t, { storePathRootDir: join(base, "a") }), { code: "ERR_STORE_LOCKED" });
  await guest.close();
});

test("the log of a root that nobody has opened yet is locked with that root, too", async (t) => {
  const base = temporaryDirectory(t);
  mkdirSync(join(base, "a"));
  const guest = await openStore(t, { storePathRootDir: join(base, "b"), storePathCommitLog: join(base, "a", "commitlog") });
  await t.throwsAsync(openStore(t, { storePathRootDir: join(base, "a") }), { code: "ERR_STORE_LOCKED" });
  await guest.close();
});

test("somebody's own file that has the lock's name keeps its content", async (t) => {
  const base = temporaryDirectory(t);
  const log = join(base, "log");
  writeFileSync(`${log}.lock`, "somebody's");
  const store = await openStore(t, { storePathRootDir: join(base, "a"), storePathCommitLog: log });
  await store.close();
  t.is(readFileSync(`${log}.lock`, "utf8"), "somebody's");
});

test("a log in the root has no lock of its own", async (t) => {
  const root = temporaryDirectory(t);
  const store = await openStore(t, { storePathRootDir: root, storePathCommitLog: join(root, "commitlog") });
  await store.close();
  t.false(existsSync(join(root, "commitlog.lock")));
});
