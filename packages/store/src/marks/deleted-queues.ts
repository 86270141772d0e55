import { join } from "node:path";
import { type Storage, syncInherited } from "@millrace/mapped-file";

/**
 * What a killed life has removed of a deleted topic's ConsumeQueues becomes durable: before the table of deleted topics forgets the topic,
 * and nothing would say of queues that come back that they are nobody's. Queues with files have been held against the table by recovery,
 * and the name of a topic's directory is synced by each opening.
 *
 * @param consumeQueue directory of all ConsumeQueues
 */
export function syncDeletedQueues(storage: Storage, consumeQueue: string, topic: string): void {
  const directory = join(consumeQueue, topic);
  if (storage.entry(directory)?.kind !== "directory") return;
  for (const { kind, name } of storage.list(directory)) {
    const queue = join(directory, name);
    if (kind === "directory" && storage.list(queue).length === 0) syncInherited(storage, queue);
  }
  syncInherited(storage, directory);
}
