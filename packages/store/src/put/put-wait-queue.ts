import { MillraceError } from "@millrace/format";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { PutMessageResult } from "./put-message-result.js";

type Settle = (result: PutMessageResult | Promise<never>) => void;

interface WaitingPut {
  readonly tryPut: () => boolean | PutMessageResult;
  readonly deadlineUs: number;
  readonly settle: Settle;
}

/** Puts that found the ring full: first come, first served, bounded in number and time. Main thread. */
export class PutWaitQueue {
  /** Puts that were refused or rejected after they had waited. */
  failed = 0;
  readonly #limit: number;
  readonly #puts: WaitingPut[] = [];
  /** Where the oldest one is; the array is cut when all before it are gone. */
  #first = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#puts.length - this.#first;
  }

  isFull(): boolean {
    return this.size >= this.#limit;
  }

  add(tryPut: () => boolean | PutMessageResult, deadlineUs: number): Promise<PutMessageResult> {
    return new Promise((settle) => {
      this.#puts.push({ tryPut, deadlineUs, settle });
    });
  }

  /** Puts as many as now fit, in order; `adopt` hands a put's promise to the frame committed last. */
  retry(adopt: (settle: Settle) => void): void {
    while (this.size > 0) {
      const { tryPut, settle } = this.#puts[this.#first] as WaitingPut;
      let put: boolean | PutMessageResult | Promise<never>;
      try {
        put = tryPut();
      } catch (error) {
        put = Promise.reject(error);
      }
      if (put === false) return;
      this.#drop();
      if (put === true) adopt(settle);
      else this.#fail(settle, put as PutMessageResult | Promise<never>);
    }
  }

  /** Rejects those whose deadline has passed. */
  expire(nowUs: number, timeoutMs: number): void {
    while (this.size > 0) {
      const { deadlineUs, settle } = this.#puts[this.#first] as WaitingPut;
      if (deadlineUs > nowUs) return;
      this.#drop();
      const reason = `the put ring stayed full until the deadline; a larger putRingSize holds more: putMessageTimeout=${timeoutMs}`;
      this.#fail(settle, Promise.reject(new MillraceError("ERR_PUT_TIMEOUT", reason, { status: "OS_PAGE_CACHE_BUSY" })));
    }
  }

  rejectAll(error: MillraceError): void {
    while (this.size > 0) {
      const { settle } = this.#puts[this.#first] as WaitingPut;
      this.#drop();
      this.#fail(settle, Promise.reject(error));
    }
  }

  #fail(settle: Settle, answer: PutMessageResult | Promise<never>): void {
    this.failed++;
    settle(answer);
  }

  #drop(): void {
    this.#first++;
    if (this.#first < 1024 && this.#first < this.#puts.length) return;
    this.#puts.splice(0, this.#first);
    this.#first = 0;
  }
}

/** For a put that cannot even wait. */
export function ringFull({ backPressure, putRingSize, maxAsyncPutMessageRequests }: MessageStoreConfig): MillraceError {
  const reason =
    backPressure === "reject"
      ? `the put ring is full, and nothing waits for it: putRingSize=${putRingSize} backPressure=reject`
      : `the put ring is full, and as many puts wait for it as may: putRingSize=${putRingSize} ` +
        `maxAsyncPutMessageRequests=${maxAsyncPutMessageRequests}`;
  return new MillraceError("ERR_RING_FULL", reason, { status: "OS_PAGE_CACHE_BUSY" });
}
