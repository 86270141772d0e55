import type { MessageStoreConfig } from "./message-store-config.js";

/** The options that decide it. */
export type ReplicaOptions = Pick<MessageStoreConfig, "inSyncReplicas" | "minInSyncReplicas" | "enableAutoInSyncReplicas">;

/**
 * How many slaves must have a message of a SYNC_MASTER. (RocketMQ 5: `needAckNums`, which counts the master too.)
 *
 * @param inSyncSlaves that are in sync now
 */
export function slavesNeeded(options: ReplicaOptions, inSyncSlaves: number): number {
  const { inSyncReplicas, minInSyncReplicas, enableAutoInSyncReplicas } = options;
  if (!enableAutoInSyncReplicas) return inSyncReplicas - 1;
  return Math.max(Math.min(inSyncReplicas, inSyncSlaves + 1), minInSyncReplicas) - 1;
}
