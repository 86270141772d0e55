import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createStorage, LockFile } from "@millrace/mapped-file";
import type { ExecutionContext } from "ava";
import test from "ava";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { testIf } from "../../support/test-if.js";

const storage = createStorage({ kind: "real" });

/** Prints "held" and waits for its end, or prints the error's code. The path is the last argument. */
const NODE_HOLDER = `
  import { createStorage, LockFile } from "@millrace/mapped-file";
  try {
    LockFile.acquire(createStorage({ kind: "real" }), process.argv.at(-1));
    console.log("held");
    setInterval(() => {}, 1000);
  } catch (error) {
    console.log(error.code);
  }`;
const JAVA_HOLDER = `
  import java.io.RandomAccessFile;
  import java.nio.channels.FileLock;
  public class Lock {
    public static void main(String[] args) throws Exception {
      FileLock lock = new RandomAccessFile(args[0], "rw").getChannel().tryLock(0, 1, false);
      System.out.println(lock == null ? "ERR_STORE_LOCKED" : "held");
      if (lock != null) Thread.sleep(60000);
    }
  }`;

interface Holder {
  readonly firstLine: string;
  kill(): Promise<void>;
}

async function start(t: ExecutionContext, command: string, args: string[]): Promise<Holder> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exit = new Promise<void>((resolve) => child.once("close", () => resolve()));
  t.teardown(() => child.kill("SIGKILL"));
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  const kill = (): Promise<void> => {
    child.kill("SIGKILL");
    return exit;
  };
  return { firstLine: chunk.toString().trim(), kill };
}

test("whether it is held is asked without holding it, of what is no lock file too", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "lock");
  t.false(LockFile.isHeld(storage, path));
  t.false(existsSync(path), "nothing is made by asking");
  const lock = LockFile.acquire(storage, path);
  t.true(LockFile.isHeld(storage, path));
  lock.release();
  t.false(LockFile.isHeld(storage, path));
  t.is(LockFile.isHeld(storage, directory), undefined);
});

test("the lock file says lock, and stays behind when released", (t) => {
  const path = join(temporaryDirectory(t), "lock");
  const lock = LockFile.acquire(storage, path);
  t.is(readFileSync(path, "utf8"), "lock");
  lock.release();
  lock.release();
  t.true(existsSync(path));
});

test("who is refused is shown the process that holds the store, when it has left its id", (t) => {
  const directory = temporaryDirectory(t);
  const [path, holder] = [join(directory, "lock"), join(directory, "abort")];
  const lock = LockFile.acquire(storage, path, holder);
  const refused = (message: RegExp): unknown => t.throws(() => LockFile.acquire(storage, path, holder), { message });
  refused(/^the store is open elsewhere: path=.*lock$/);
  for (const [content, text] of [
    ["4711", /, in the process that its abort file names: pid=4711 path=.*lock$/],
    ["", /elsewhere: path=/],
    ["gone", /elsewhere: path=/],
  ] as const) {
    writeFileSync(holder, content);
    refused(text);
  }
  lock.release();
});

test("a second opener in the same thread is refused until the first lets go, and writes nothing", (t) => {
  const path = join(temporaryDirectory(t), "lock");
  const lock = LockFile.acquire(storage, path);
  writeFileSync(path, "mine");
  t.throws(() => LockFile.acquire(storage, path), { code: "ERR_STORE_LOCKED", message: /path=.*lock$/ });
  t.is(readFileSync(path, "utf8"), "mine");
  lock.release();
  LockFile.acquire(storage, path).release();
});

test("a second opener in another thread is refused", async (t) => {
  const path = join(temporaryDirectory(t), "lock");
  const lock = LockFile.acquire(storage, path);
  const source = `
    import { createStorage, LockFile } from "@millrace/mapped-file";
    import { parentPort, workerData } from "node:worker_threads";
    try { LockFile.acquire(createStorage({ kind: "real" }), workerData); parentPort.postMessage("held"); }
    catch (error) { parentPort.postMessage(error.code); }`;
  const script = join(import.meta.dirname, `lock-holder-${process.pid}.mjs`);
  writeFileSync(script, source);
  t.teardown(() => storage.remove(script));
  const worker = new Worker(script, { workerData: path });
  t.deepEqual(await once(worker, "message"), ["ERR_STORE_LOCKED"]);
  lock.release();
});

test("a second process is refused, and a killed one gives the lock back", async (t) => {
  const path = join(temporaryDirectory(t), "lock");
  const args = ["--input-type=module", "-e", NODE_HOLDER, path];
  const holder = await start(t, process.execPath, args);
  t.is(holder.firstLine, "held");
  t.throws(() => LockFile.acquire(storage, path), { code: "ERR_STORE_LOCKED" });
  await holder.kill();
  const lock = LockFile.acquire(storage, path);
  t.is((await start(t, process.execPath, args)).firstLine, "ERR_STORE_LOCKED");
  lock.release();
});

const HAS_JAVA = spawnSync("java", ["-version"], { stdio: "ignore" }).status === 0;

testIf(HAS_JAVA, "no java here")("a Java broker and Millrace refuse each other", async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "lock");
  const source = join(directory, "Lock.java");
  writeFileSync(source, JAVA_HOLDER);
  const holder = await start(t, "java", [source, path]);
  t.is(holder.firstLine, "held");
  t.throws(() => LockFile.acquire(storage, path), { code: "ERR_STORE_LOCKED" });
  await holder.kill();
  const lock = LockFile.acquire(storage, path);
  t.is((await start(t, "java", [source, path])).firstLine, "ERR_STORE_LOCKED");
  lock.release();
});

test("a failing disk or a missing directory leaves no lock behind", (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, "lock");
  t.throws(() => LockFile.acquire(storage, join(directory, "missing", "lock")), { code: "ENOENT" });
  for (const operation of ["lock", "write", "force"] as const) {
    const faulty = createStorage({ kind: "faulty", faults: [{ operation, path, after: 0, code: "EIO" }] });
    rmSync(path, { force: true });
    t.throws(() => LockFile.acquire(faulty, path), { code: "EIO" });
    LockFile.acquire(storage, path).release();
  }
});
