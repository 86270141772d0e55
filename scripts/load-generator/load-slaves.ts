import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { storePaths } from "@millrace/format";
import { monotonicMs } from "@millrace/shared-memory";
import { CuttableProxy, freePort } from "./cuttable-proxy.js";
import type { LoadOptions } from "./load-options.js";
import type { LoadStoreOptions, LoadTarget } from "./load-target.js";
import { compareLogs } from "./log-comparison.js";
import { SlaveProcess } from "./slave-process.js";

const LOOK_MS = 10;
/** A slave that gets nothing more for so long is stuck, however slow the machine is. */
const STUCK_MS = 60_000;
/** So long after each other connections are cut, a slave's at a time. */
const CUT_MS = 700;
/** A slave that is cut off comes back within it: a put that waits is answered when it has. */
const SLAVE_TIMEOUT_MS = 60_000;

/** What became of the slaves. */
export interface ReplicationFigures {
  readonly slaves: number;
  readonly cuts: number;
  /** Bytes of the master's log that all slaves have, each byte compared. */
  readonly comparedBytes: number;
  /** Where logs differ. */
  readonly differences: readonly string[];
}

/** Slaves of the store that is loaded, each in a process of its own, behind a connection that is cut now and then. */
export class LoadSlaves implements AsyncDisposable {
  readonly #options: LoadOptions;
  readonly #root: string;
  readonly #port: number;
  readonly #proxies: CuttableProxy[] = [];
  readonly #slaves: SlaveProcess[] = [];
  readonly #death = new AbortController();
  #cuts = 0;
  #cutTimer: NodeJS.Timeout | undefined;

  private constructor(options: LoadOptions, root: string, port: number) {
    this.#options = options;
    this.#root = root;
    this.#port = port;
  }

  /** @param root where the slaves' directories are made */
  static async prepare(options: LoadOptions, root: string): Promise<LoadSlaves> {
    return new LoadSlaves(options, root, await freePort());
  }

  /** Aborted when a slave has ended by itself: there is nothing more to load for. */
  get death(): AbortSignal {
    return this.#death.signal;
  }

  /** The store's, while it is loaded; the port stays the same when it is opened again. */
  get masterOptions(): Partial<LoadStoreOptions> {
    const { brokerRole, slaves } = this.#options;
    return { brokerRole, haListenPort: this.#port, inSyncReplicas: 1 + slaves, slaveTimeout: SLAVE_TIMEOUT_MS };
  }

  /** The store is open: starts the slaves, unless they run, and waits until all of them follow. */
  async follow(store: LoadTarget): Promise<void> {
    const { slaves, mappedFileSizeCommitLog, flushDiskType } = this.#options;
    while (this.#slaves.length < slaves) {
      const directory = join(this.#root, `slave-${this.#slaves.length}`);
      mkdirSync(directory, { recursive: true });
      const proxy = await CuttableProxy.before(this.#port);
      this.#proxies.push(proxy);
      this.#slaves.push(new SlaveProcess(directory, proxy.address, mappedFileSizeCommitLog, flushDiskType === "SYNC_FLUSH"));
    }
    // While it opens it asks where the log begins, and counts as in sync for that moment.
    await this.#until("slaves that follow", () => this.#slaves.filter(({ isFollowing }) => isFollowing).length, slaves);
    await this.#until("slaves in sync", () => store.stats().replicate.inSyncSlaves, slaves);
    this.#cutTimer ??= setInterval(() => {
      if (this.#slaves.some(({ hasEnded }) => hasEnded)) this.#death.abort();
      else this.#proxies[this.#cuts++ % slaves]?.cut();
    }, CUT_MS);
  }

  /** Nothing is put any more: ends the slaves when they have all that the store has. */
  async caughtUp(store: LoadTarget): Promise<void> {
    clearInterval(this.#cutTimer);
    const end = store.stats().offsets.wroteOffset;
    for (const slave of this.#slaves) await this.#until("end of a slave's log", () => slave.maxOffset, end);
    for (const slave of this.#slaves) await slave.end();
  }

  /**
   * Both are closed: every byte of the slaves' logs against the master's.
   *
   * @param from where the log ended when the load began
   */
  compare(directory: string, maxOffset: number, from: number): ReplicationFigures {
    const { mappedFileSizeCommitLog } = this.#options;
    const { commitLog } = storePaths(directory);
    const results = this.#slaves.map((slave) =>
      compareLogs(commitLog, storePaths(slave.directory).commitLog, mappedFileSizeCommitLog, maxOffset, from),
    );
    return {
      slaves: this.#slaves.length,
      cuts: this.#cuts,
      comparedBytes: Math.min(...results.map(({ bytes }) => bytes)),
      differences: results.flatMap(({ difference }) => difference ?? []),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#cutTimer);
    for (const slave of this.#slaves) await slave[Symbol.asyncDispose]();
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]();
  }

  async #until(what: string, value: () => number, wanted: number): Promise<void> {
    for (let seen = value(), sinceMs = monotonicMs(); seen < wanted; await sleep(LOOK_MS)) {
      const now = value();
      if (now !== seen) sinceMs = monotonicMs();
      seen = now;
      const ended = this.#slaves.find(({ hasEnded }) => hasEnded);
      if (ended !== undefined) throw new Error(`a slave has ended by itself: storePathRootDir=${ended.directory}`);
      if (monotonicMs() - sinceMs > STUCK_MS) throw new Error(`nothing moves any more: ${what} is ${seen}, wanted=${wanted}`);
    }
  }
}
