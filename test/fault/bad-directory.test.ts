import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Fault } from "@millrace/mapped-file";
import test, { type ExecutionContext } from "ava";
import { openOn } from "#store/message-store.js";
import { contents } from "../support/stored-log.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { numbered, openStore, SEGMENT_SIZE } from "../support/temporary-store.js";

const FIRST = "00000000000000000000";
const SECOND = String(SEGMENT_SIZE).padStart(20, "0");

let closed: Promise<string> | undefined;
const made = mkdtempSync(join(tmpdir(), "millrace-"));
test.after.always(() => rmSync(made, { recursive: true, force: true }));

/** A closed store with one message: a copy of one that was made once, with its times. */
async function closedStore(t: ExecutionContext): Promise<string> {
  closed ??= makeClosed(t);
  const root = temporaryDirectory(t);
  cpSync(await closed, root, { recursive: true, preserveTimestamps: true });
  return root;
}

async function makeClosed(t: ExecutionContext): Promise<string> {
  const store = await openStore(t, { storePathRootDir: made });
  await store.putMessage(numbered(1));
  await store.close();
  return made;
}

const damages: Record<string, { code: string; damage: (commitLog: string) => void }> = {
  "a segment that is too short": { code: "ERR_SEGMENT_SIZE", damage: (at) => writeFileSync(join(at, SECOND), "short") },
  "a name that is no offset": {
    code: "ERR_SEGMENT_NAME",
    damage: (at) => writeFileSync(join(at, "segment"), Buffer.alloc(SEGMENT_SIZE)),
  },
  "a name that is no multiple of the size": {
    code: "ERR_SEGMENT_NAME",
    damage: (at) => writeFileSync(join(at, "00000000000000065537"), Buffer.alloc(SEGMENT_SIZE)),
  },
  "a missing segment": {
    code: "ERR_SEGMENT_GAP",
    damage: (at) => writeFileSync(join(at, String(2 * SEGMENT_SIZE).padStart(20, "0")), Buffer.alloc(SEGMENT_SIZE)),
  },
  "a link to nothing": { code: "ERR_SEGMENT_TYPE", damage: (at) => symlinkSync(join(at, "nowhere"), join(at, SECOND)) },
  "a link to a device": { code: "ERR_SEGMENT_TYPE", damage: (at) => symlinkSync("/dev/null", join(at, SECOND)) },
};

for (const [what, { code, damage }] of Object.entries(damages)) {
  test.serial(`${what} is refused, and nothing is changed`, async (t) => {
    const root = await closedStore(t);
    const commitLog = join(root, "commitlog");
    damage(commitLog);
    const names = readdirSync(root, { recursive: true }).sort();
    await t.throwsAsync(openStore(t, { storePathRootDir: root }), { code });
    t.deepEqual(readdirSync(root, { recursive: true }).sort(), names);
  });
}

test.serial("another segment size than the store was made with is refused, and nothing is changed", async (t) => {
  const root = await closedStore(t);
  const before = contents(root);
  const error = await t.throwsAsync(openStore(t, { storePathRootDir: root, mappedFileSizeCommitLog: 2 * SEGMENT_SIZE }), {
    code: "ERR_SEGMENT_SIZE",
  });
  t.regex(error?.message ?? "", new RegExp(`length=${SEGMENT_SIZE}, expected=${2 * SEGMENT_SIZE}$`));
  t.deepEqual(contents(root), before);
});

test.serial("a missing parent is made", async (t) => {
  const root = join(temporaryDirectory(t), "a", "b", "c");
  const store = await openStore(t, { storePathRootDir: root, storePathCommitLog: join(root, "x", "commitlog") });
  t.is((await store.putMessage(numbered(1))).status, "PUT_OK");
  await store.close();
  t.true(existsSync(join(root, "x", "commitlog", FIRST)));
});

test.serial("a directory that is a file, or below one, is refused", async (t) => {
  const file = join(temporaryDirectory(t), "file");
  writeFileSync(file, "content");
  for (const options of [{ storePathRootDir: file }, { storePathRootDir: join(file, "store") }]) {
    await t.throwsAsync(openStore(t, options), { code: "ERR_PATH_UNUSABLE", message: /path=/ });
  }
  const root = temporaryDirectory(t);
  await t.throwsAsync(openStore(t, { storePathRootDir: root, storePathCommitLog: file }), { code: "ERR_PATH_UNUSABLE" });
  await t.notThrowsAsync(openStore(t, { storePathRootDir: root }), "and the lock was given back");
});

test.serial("a directory that cannot be written to is refused", async (t) => {
  const root = await closedStore(t);
  const before = contents(root);
  chmodSync(root, 0o555);
  t.teardown(() => chmodSync(root, 0o755));
  // root may write everywhere: there the same answer of the system is planned
  const asRoot = process.getuid?.() === 0;
  const faults: Fault[] = asRoot ? [{ operation: "open", path: join(root, "lock"), after: 0, code: "EROFS" }] : [];
  await t.throwsAsync(openStore(t, { storePathRootDir: root }, faults), { code: "ERR_PATH_UNUSABLE", message: /path=/ });
  t.deepEqual(contents(root), before);
});

/** What went wrong, if anything did. */
async function openPutClose(root: string, faults: Fault[]): Promise<{ code: string } | undefined> {
  try {
    const store = await openOn({ storePathRootDir: root, mappedFileSizeCommitLog: SEGMENT_SIZE }, { kind: "faulty", faults });
    await store.putMessage(numbered(1));
    await store.close();
    return undefined;
  } catch (error) {
    return error as { code: string };
  }
}

test.serial("an abort file that cannot be removed does not hide why the store could not be opened", async (t) => {
  const root = await closedStore(t);
  const faults: Fault[] = [
    { operation: "open", path: join(root, "checkpoint"), after: 0, code: "EMFILE" },
    // The first one removed is abort.tmp, when the file is made.
    { operation: "remove", path: join(root, "abort"), after: 1, code: "EROFS" },
  ];
  await t.throwsAsync(openStore(t, { storePathRootDir: root }, faults), { message: /checkpoint/ });
  t.true(existsSync(join(root, "abort")));
  const store = await openStore(t, { storePathRootDir: root });
  t.is((await store.putMessage(numbered(2))).status, "PUT_OK");
});

test.serial(
  "a lock, abort or watermark file that cannot be written is an error with a code, and the directory can be opened after it",
  async (t) => {
    const root = await closedStore(t);
    for (const path of ["lock", "abort", "millrace.watermark", "checkpoint"]) {
      for (const operation of ["open", "force"] as const) {
        const faults: Fault[] = [{ operation, path: join(root, path), after: 0, code: "EIO" }];
        const error = await openPutClose(root, faults);
        if (error !== undefined) t.regex(error.code, /^ERR_(PATH_UNUSABLE|PIPELINE_START|STORE_FAULTED)$/, `${operation} ${path}`);
      }
    }
    const store = await openStore(t, { storePathRootDir: root });
    t.is((await store.putMessage(numbered(2))).status, "PUT_OK");
  },
);
