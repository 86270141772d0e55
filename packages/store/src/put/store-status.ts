import { groupBeganUs, type ReadableCounter, StoreState } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { LogRoom, type RoomWords } from "./log-room.js";
import { diskFull, dispatchFailed, isSlave, pageCacheBusy, type RefusedPutResult } from "./put-message-result.js";
import { putsEnded } from "./puts-ended.js";
import { ReplicaStatus, type ReplicaWords } from "./replica-status.js";

/**
 * Attempts to dispatch that may fail one after another, a second apart, before no puts are taken: what nobody could read is not
 * promised any more.
 */
const DISPATCH_FAILURES_LIMIT = 10;

type StatusWords = ReplicaWords &
  RoomWords & { readonly [N in "storeState" | "diskFull" | "dispatchFailures" | "appendBeganUs"]: ReadableCounter };

/**
 * Whether puts are taken just now, as it was when {@link look} was called: once for a group of puts. (RocketMQ: `checkStoreStatus`,
 * `RunningFlags`, `isOSPageCacheBusy`.)
 */
export class StoreStatus {
  /** What any put is answered, if it is not taken. */
  refusal: RefusedPutResult | undefined;
  /** What a put is answered that makes the log longer, while the disk is over its ratio. */
  diskRefusal: RefusedPutResult | undefined;
  /** What dispatching failed with last, for the refusal. */
  lastDispatchError: () => string | undefined = () => undefined;
  readonly #config: MessageStoreConfig;
  readonly replicas: ReplicaStatus;
  readonly room: LogRoom;
  readonly #words: StatusWords;

  constructor(config: MessageStoreConfig, words: StatusWords) {
    this.replicas = new ReplicaStatus(config, words);
    this.room = new LogRoom(words);
    this.#config = config;
    this.#words = words;
  }

  /**
   * The state is looked at because a producer on another thread hears only at its event loop that the store has failed.
   *
   * @param nowUs of the monotonic clock
   * @throws MillraceError `ERR_STORE_FENCED`, `ERR_STORE_FAULTED`, `ERR_STORE_CLOSED`: no puts are taken any more
   */
  look(nowUs: number): void {
    const state = this.#words.storeState.get();
    if (state >= StoreState.fenced) throw putsEnded(state);
    const isDiskFull = this.#words.diskFull.get() !== 0;
    this.diskRefusal = isDiskFull ? diskFull(this.#config.diskSpaceWarningLevelRatio) : undefined;
    this.replicas.look();
    this.refusal = this.#refusal(nowUs) ?? this.replicas.refusal;
  }

  #refusal(nowUs: number): RefusedPutResult | undefined {
    if (this.#config.brokerRole === "SLAVE") return isSlave(this.#config.haMasterAddress);
    const failures = this.#words.dispatchFailures.get();
    if (failures >= DISPATCH_FAILURES_LIMIT) return dispatchFailed(failures, this.lastDispatchError());
    const beganUs = groupBeganUs(this.#words.appendBeganUs);
    const limitMs = this.#config.osPageCacheBusyTimeOutMills;
    return beganUs === undefined || nowUs - beganUs <= limitMs * 1000 ? undefined : pageCacheBusy(limitMs);
  }
}
