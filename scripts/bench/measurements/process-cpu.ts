import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { Worker } from "node:worker_threads";

const TASKS = "/proc/self/task";
const MAIN = "main";
/** Started by Node before anything of ours: the garbage collector's and the compiler's helpers. */
const HELPERS = "helpers";
const OTHERS = "others";

/** CPU time that a process has used, in user mode and in the kernel, in nanoseconds. */
export interface CpuUse {
  /** Of all threads, those included that have ended. */
  readonly processNs: number;
  /** By the name of the thread; threads of one name together. Those that have ended are missing. Empty where there is no schedstat. */
  readonly threadNs: Readonly<Record<string, number>>;
}

interface Reading {
  readonly processNs: number;
  readonly taskNs: ReadonlyMap<string, number>;
}

/**
 * Reads how much CPU each thread of this process uses, by the kernel's scheduler. Made before the first worker starts, because a
 * worker's task is the one that has come when it is posted its first message. Piscina posts the name of its file: a thread is called
 * `append` for `append-worker.js`.
 */
export class ProcessCpu {
  readonly #names = new Map<string, string>();
  #before: Reading;

  constructor() {
    for (const task of tasks()) this.#names.set(task, task === `${process.pid}` ? MAIN : HELPERS);
    const cpu = this;
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof postMessage>): void {
      cpu.#nameNewTasks(args[0], this.threadId);
      return postMessage.apply(this, args);
    };
    this.#before = this.#read();
  }

  start(): void {
    this.#before = this.#read();
  }

  /** Since {@link start}. */
  get used(): CpuUse {
    const before = this.#before;
    const { processNs, taskNs } = this.#read();
    const threadNs: Record<string, number> = {};
    for (const [task, ns] of taskNs) {
      const name = this.#names.get(task) ?? OTHERS;
      threadNs[name] = (threadNs[name] ?? 0) + ns - (before.taskNs.get(task) ?? 0);
    }
    return { processNs: processNs - before.processNs, threadNs };
  }

  #nameNewTasks(message: unknown, threadId: number): void {
    const started = tasks().filter((task) => !this.#names.has(task));
    if (started.length === 0) return;
    const { filename } = (message ?? {}) as { filename?: unknown };
    const name = typeof filename === "string" ? basename(filename).replace(/(-worker)?\.\w+$/, "") : `worker ${threadId}`;
    for (const task of started) this.#names.set(task, name);
  }

  #read(): Reading {
    const taskNs = new Map<string, number>();
    for (const task of tasks()) {
      const ns = scheduledNs(task);
      if (ns !== undefined) taskNs.set(task, ns);
    }
    const { user, system } = process.cpuUsage();
    return { processNs: (user + system) * 1000, taskNs };
  }
}

function tasks(): string[] {
  return readdirSync(TASKS);
}

/** undefined: it has ended, or the kernel does not say. */
function scheduledNs(task: string): number | undefined {
  try {
    return Number(readFileSync(`${TASKS}/${task}/schedstat`, "utf8").split(" ", 1)[0]);
  } catch {
    return undefined;
  }
}
