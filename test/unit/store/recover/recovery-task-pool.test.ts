import workerThreads, { type Worker } from "node:worker_threads";
import test, { type ExecutionContext } from "ava";
import { RecoveryTaskPool } from "#store/recover/scan/recovery-task-pool.js";
import { until } from "../../../support/until.js";
import { HELD_TASKS, type HeldTask, HeldWord, heldTask } from "./held-task.js";

interface WatchedPool {
  readonly pool: RecoveryTaskPool<HeldTask, { readonly kind: "done" }>;
  /** Of all that it begins. */
  readonly threads: readonly Worker[];
}

function newPool(t: ExecutionContext, parallelism: number): WatchedPool {
  const threads: Worker[] = [];
  const onThread = (thread: Worker): number => threads.push(thread);
  process.on("worker", onThread);
  const pool = new RecoveryTaskPool(HELD_TASKS, parallelism);
  t.teardown(async () => {
    process.off("worker", onThread);
    await pool.close();
  });
  return { pool, threads };
}

function ignore(): void {}

test.serial("the results of several threads come in the order of the tasks", async (t) => {
  const { pool, threads } = newPool(t, 2);
  const tasks = [heldTask(0), heldTask(1), heldTask(1), heldTask(1)];
  let done = 0;
  const release = (): void => {
    if (++done < 3) return;
    Atomics.store(tasks[0]?.words as Int32Array, HeldWord.mayEnd, 1);
    Atomics.notify(tasks[0]?.words as Int32Array, HeldWord.mayEnd);
  };
  t.deepEqual(await pool.runAll(tasks, release, ignore), Array(4).fill({ kind: "done" }));
  t.is(threads.length, 2);
});

test.serial("a thread that dies without a task fails the next task with a code, and nobody else hears of it", async (t) => {
  const { pool, threads } = newPool(t, 1);
  t.deepEqual(await pool.runAll([heldTask(1)], ignore, ignore), [{ kind: "done" }]);
  threads[0]?.emit("error", new Error("no descriptor"));
  const next = heldTask(1);
  await t.throwsAsync(pool.runAll([next], ignore, ignore), { code: "ERR_WORKER_DIED", message: /no descriptor.*path=held/ });
  await pool.close();
  t.is(next.words[HeldWord.begun], 0);
});

test.serial("a thread that dies with its task ends the others' first, and the failure comes when none is running", async (t) => {
  const { pool, threads } = newPool(t, 2);
  const tasks = [heldTask(0), heldTask(0), heldTask(1)];
  const words = tasks.map((task) => task.words);
  const survivor = words[1] as Int32Array;
  const release = (): void => {
    Atomics.store(survivor, HeldWord.mayEnd, 1);
    Atomics.notify(survivor, HeldWord.mayEnd);
  };
  const running = pool.runAll(tasks, ignore, release);
  await until(() => words[0]?.[HeldWord.begun] === 1 && survivor[HeldWord.begun] === 1);
  await Promise.all([t.throwsAsync(running, { code: "ERR_WORKER_DIED" }), threads[0]?.terminate()]);
  t.deepEqual([words[0]?.[HeldWord.ended], survivor[HeldWord.ended], words[2]?.[HeldWord.begun]], [0, 1, 0]);
});

test.serial("a thread that the system does not begin fails the task with a code", async (t) => {
  const { pool } = newPool(t, 2);
  const { Worker: real } = workerThreads;
  workerThreads.Worker = class {
    constructor() {
      throw Object.assign(new Error("no more threads"), { code: "ERR_WORKER_INIT_FAILED" });
    }
  } as unknown as typeof real;
  t.teardown(() => {
    workerThreads.Worker = real;
  });
  await t.throwsAsync(pool.runAll([heldTask(1)], ignore, ignore), { code: "ERR_WORKER_DIED", message: /no more threads/ });
});
