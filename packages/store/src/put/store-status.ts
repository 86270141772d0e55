import type { ControlBlock } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { diskFull, dispatchFailed, pageCacheBusy, type RefusedPutResult } from "./put-message-result.js";

/**
 * Attempts to dispatch that may fail one after another, a second apart, before no puts are taken: what nobody could read is not
 * promised any more.
 */
const DISPATCH_FAILURES_LIMIT = 10;

/**
 * Whether puts are taken just now. Main thread. (RocketMQ: `checkStoreStatus`, `RunningFlags`,
 * `isOSPageCacheBusy`.)
 */
export class StoreStatus {
  /** The disk-full flag: set and cleared by the cleaner. */
  isDiskFull = false;
  /** What dispatching failed with last, for the refusal. */
  lastDispatchError: () => string | undefined = () => undefined;
  readonly #config: MessageStoreConfig;
  readonly #counters: ControlBlock<"main">["counters"];

  constructor(config: MessageStoreConfig, counters: ControlBlock<"main">["counters"]) {
    this.#config = config;
    this.#counters = counters;
  }

  /** What a put is answered that makes the log longer, while the disk is over its ratio. */
  get diskRefusal(): RefusedPutResult | undefined {
    return this.isDiskFull ? diskFull(this.#config.diskSpaceWarningLevelRatio) : undefined;
  }

  /** What any put is answered, if it is not taken. @param nowUs of the monotonic clock */
  refusal(nowUs: number): RefusedPutResult | undefined {
    const failures = this.#counters.dispatchFailures.get();
    if (failures >= DISPATCH_FAILURES_LIMIT) return dispatchFailed(failures, this.lastDispatchError());
    const beganUs = this.#counters.appendBeganUs.get();
    const limitMs = this.#config.osPageCacheBusyTimeOutMills;
    return beganUs === 0 || nowUs - beganUs <= limitMs * 1000 ? undefined : pageCacheBusy(limitMs);
  }
}
