import type { ReadableCounter } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import { slavesNeeded } from "../config/replicas-needed.js";
import { notEnoughReplicas, type RefusedPutResult } from "./put-message-result.js";

export type ReplicaWords = { readonly [N in "answeredOffset" | "inSyncSlaves" | "replicatedOffset"]: ReadableCounter };

/** Whether slaves have a put, as it was when {@link look} was called. (RocketMQ: `CommitLog.handleHA`, `GroupTransferService`.) */
export class ReplicaStatus {
  /** What a put is answered while too few stores are in sync. */
  refusal: RefusedPutResult | undefined;
  /** Whether puts wait for slaves at all. */
  readonly isWaitedFor: boolean;
  readonly #config: MessageStoreConfig;
  readonly #words: ReplicaWords;
  /** End of what enough slaves have. */
  #replicated = 0;
  /** What is put after it is not waited for: there are too few slaves since then. Those who were there for the rest may come back. */
  #missingFrom = 0;

  constructor(config: MessageStoreConfig, words: ReplicaWords) {
    this.#config = config;
    this.#words = words;
    this.isWaitedFor = config.brokerRole === "SYNC_MASTER";
  }

  look(): void {
    if (!this.isWaitedFor) return;
    const { answeredOffset, inSyncSlaves, replicatedOffset } = this.#words;
    const slaves = inSyncSlaves.get();
    const { minInSyncReplicas } = this.#config;
    const needed = slavesNeeded(this.#config, slaves);
    this.refusal = slaves + 1 < minInSyncReplicas ? notEnoughReplicas(slaves + 1, minInSyncReplicas) : undefined;
    this.#replicated = needed === 0 ? Number.MAX_SAFE_INTEGER : replicatedOffset.get();
    if (slaves >= needed) this.#missingFrom = Number.MAX_SAFE_INTEGER;
    else if (this.#missingFrom === Number.MAX_SAFE_INTEGER) this.#missingFrom = answeredOffset.get();
  }

  /** @param end of the record; what it is worth as an answer, or undefined while slaves are waited for */
  of(end: number): "PUT_OK" | "SLAVE_NOT_AVAILABLE" | undefined {
    if (end <= this.#replicated) return "PUT_OK";
    return end > this.#missingFrom ? "SLAVE_NOT_AVAILABLE" : undefined;
  }
}
