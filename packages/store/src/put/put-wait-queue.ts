import { MillraceError } from "@millrace/format";
import { PutRingTotal } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { PutMessageResult, RefusedPutResult } from "./put-message-result.js";

/** Of the promise of one put. */
export type Settle = (result: PutMessageResult | Promise<never>) => void;

interface WaitingPut {
  readonly tryPut: () => boolean | RefusedPutResult;
  readonly length: number;
  readonly deadlineUs: number;
  readonly settle: Settle;
}

/**
 * Puts that found the ring full, or have no slot yet: first come, first served, bounded in number, in bytes and in time. Its bounds are
 * there for the process's memory: far beyond what one turn of the event loop starts. On the thread that puts.
 */
export class PutWaitQueue {
  readonly #config: MessageStoreConfig;
  /** Of the ring, {@link PutRingTotal}: those that are not let wait, refused or rejected after they have waited, count as failed. */
  readonly #totals: Float64Array;
  /** Of the records of all that wait. */
  #bytes = 0;
  readonly #puts: WaitingPut[] = [];
  /** Where the oldest one is; the array is cut when all before it are gone. */
  #first = 0;

  constructor(config: MessageStoreConfig, totals: Float64Array) {
    this.#config = config;
    this.#totals = totals;
  }

  get size(): number {
    return this.#puts.length - this.#first;
  }

  /**
   * Rejects at once when nothing may wait, or no more.
   *
   * @param length bytes of the record, or of all of a batch
   * @param isForSlot it waits for its queue's slot, or behind one that does, and not for room: that is no back pressure
   */
  add(tryPut: () => boolean | RefusedPutResult, length: number, nowUs: number, isForSlot: boolean): Promise<PutMessageResult> {
    const { backPressure, maxAsyncPutMessageRequests, maxAsyncPutMessageBytes, putMessageTimeout } = this.#config;
    const isFull = this.size >= maxAsyncPutMessageRequests || this.#bytes + length > maxAsyncPutMessageBytes;
    if (isFull || (backPressure === "reject" && !isForSlot)) {
      this.#countFailed();
      return Promise.reject(ringFull(this.#config));
    }
    const deadlineUs = nowUs + putMessageTimeout * 1000;
    return new Promise((settle) => {
      this.#bytes += length;
      this.#puts.push({ tryPut, length, deadlineUs, settle });
    });
  }

  /** Puts as many as now fit, in order; `adopt` hands a put's promise to the frame committed last. */
  retry(adopt: (settle: Settle) => void): void {
    while (this.size > 0) {
      const { tryPut, settle } = this.#puts[this.#first] as WaitingPut;
      let put: boolean | RefusedPutResult | Promise<never>;
      try {
        put = tryPut();
      } catch (error) {
        put = Promise.reject(error);
      }
      if (put === false) return;
      this.#drop();
      if (put === true) adopt(settle);
      else this.#fail(settle, put);
    }
  }

  /** Rejects those whose deadline has passed; whether there were any. */
  expire(nowUs: number): boolean {
    const { putMessageTimeout, putRingSize } = this.#config;
    const before = this.size;
    while (this.size > 0) {
      const { deadlineUs, settle } = this.#puts[this.#first] as WaitingPut;
      if (deadlineUs > nowUs) break;
      this.#drop();
      const reason =
        "the put ring stayed full until the deadline; await store.drained(n) between puts, or store.writable(), waits for room: " +
        `putRingSize=${putRingSize} putMessageTimeout=${putMessageTimeout}`;
      this.#fail(settle, Promise.reject(new MillraceError("ERR_PUT_TIMEOUT", reason, { status: "OS_PAGE_CACHE_BUSY" })));
    }
    return this.size < before;
  }

  rejectAll(error: MillraceError): void {
    while (this.size > 0) {
      const { settle } = this.#puts[this.#first] as WaitingPut;
      this.#drop();
      this.#fail(settle, Promise.reject(error));
    }
  }

  #fail(settle: Settle, answer: RefusedPutResult | Promise<never>): void {
    this.#countFailed();
    settle(answer);
  }

  #countFailed(): void {
    this.#totals[PutRingTotal.failed] = (this.#totals[PutRingTotal.failed] as number) + 1;
  }

  #drop(): void {
    this.#bytes -= this.#puts[this.#first]?.length ?? 0;
    this.#first++;
    if (this.#first < this.#puts.length && (this.#first < 1024 || 2 * this.#first < this.#puts.length)) return;
    this.#puts.splice(0, this.#first);
    this.#first = 0;
  }
}

/** What a put is rejected with that finds the ring full and may not wait for it. */
function ringFull(config: MessageStoreConfig): MillraceError {
  const { backPressure, putRingSize, maxAsyncPutMessageRequests, maxAsyncPutMessageBytes } = config;
  const reason =
    backPressure === "reject"
      ? `the put ring is full, and nothing waits for it: putRingSize=${putRingSize} backPressure=reject`
      : "the put ring is full, and as much waits for it as may; await store.drained(n) between puts, or use store.writable(): " +
        `putRingSize=${putRingSize} maxAsyncPutMessageRequests=${maxAsyncPutMessageRequests} ` +
        `maxAsyncPutMessageBytes=${maxAsyncPutMessageBytes}`;
  return new MillraceError("ERR_RING_FULL", reason, { status: "OS_PAGE_CACHE_BUSY" });
}
