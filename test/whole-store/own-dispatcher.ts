/**
 * A user's dispatcher, as `commitLogDispatchers` names it. What it has to do is in `own-dispatcher.json` beside the store's
 * directory; what it hears is written to `own-dispatcher.heard` there, one line each.
 */
import { appendFileSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DispatchRequest } from "#format/dispatch-request.js";
import type { CommitLogDispatcher } from "#store/dispatch/commit-log-dispatcher.js";

export interface OwnDispatcherOrders {
  readonly handledOffset?: number;
  /** Throws when it hears of the record with this number for the first `times` times. */
  readonly throwAt?: { readonly record: number; readonly times: number };
  readonly throwAtEndOfGroup?: { readonly times: number };
  /** Throws when it is to force for the first `times` times, or when it is asked for its paths. */
  readonly throwInForce?: { readonly times: number };
  readonly throwInPaths?: { readonly times: number };
  /** Ends its thread at this record. */
  readonly exitAt?: number;
  /** At the first record: overwrites the log's bytes from this offset on with ones. */
  readonly damageLogAt?: number;
}

const LOG_FILE = "commitlog/00000000000000000000";

export function giveOrders(storePathRootDir: string, orders: OwnDispatcherOrders): void {
  writeFileSync(join(dirname(storePathRootDir), "own-dispatcher.json"), JSON.stringify(orders));
}

/** Lines `physicalOffset topic queueId queueOffset size type keys`, and `force`, `close`. */
export function heardBy(storePathRootDir: string): string[] {
  const path = join(dirname(storePathRootDir), "own-dispatcher.heard");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

class OwnDispatcher implements CommitLogDispatcher {
  readonly name = "own";
  readonly #root: string;
  readonly #heard: string;
  readonly #orders: OwnDispatcherOrders;
  #records = 0;
  #thrown = 0;

  constructor(root: string) {
    this.#root = root;
    this.#heard = join(dirname(root), "own-dispatcher.heard");
    const path = join(dirname(root), "own-dispatcher.json");
    this.#orders = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as OwnDispatcherOrders) : {};
  }

  handledOffset(): number {
    return this.#orders.handledOffset ?? Number.MAX_SAFE_INTEGER;
  }

  dispatch(request: DispatchRequest): void {
    const { throwAt, exitAt, damageLogAt } = this.#orders;
    if (this.#records === exitAt) process.exit(3);
    if (throwAt !== undefined && this.#records >= throwAt.record && this.#thrown < throwAt.times) {
      this.#thrown++;
      throw new Error("told to throw");
    }
    if (damageLogAt !== undefined && this.#records === 0)
      writeSync(openSync(join(this.#root, LOG_FILE), "r+"), Buffer.alloc(40, 1), 0, 40, damageLogAt);
    this.#records++;
    const { commitLogOffset, topic, queueId, consumeQueueOffset, msgSize, transactionType, keys } = request;
    this.#say([commitLogOffset, topic, queueId, consumeQueueOffset, msgSize, transactionType, keys ?? "-"].join(" "));
  }

  endGroup(): void {
    if (this.#thrown >= (this.#orders.throwAtEndOfGroup?.times ?? 0)) return;
    this.#thrown++;
    throw new Error("told to throw at the end of a group");
  }

  unforcedPaths(): string[] {
    if (this.#thrown >= (this.#orders.throwInPaths?.times ?? 0)) return [];
    this.#thrown++;
    throw new Error("told to throw when asked for paths");
  }

  force(): void {
    if (this.#thrown < (this.#orders.throwInForce?.times ?? 0)) {
      this.#thrown++;
      throw new Error("told to throw in force");
    }
    this.#say("force");
  }

  close(): void {
    this.#say("close");
  }

  #say(line: string): void {
    appendFileSync(this.#heard, `${line}\n`);
  }
}

export default function ownDispatcher({ storePathRootDir }: { storePathRootDir: string }): CommitLogDispatcher {
  return new OwnDispatcher(storePathRootDir);
}
