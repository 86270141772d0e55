import { join } from "node:path";
import { LMQ_TOPIC_PREFIX, MillraceError, type StorePaths } from "@millrace/format";
import type { Storage } from "@millrace/mapped-file";

/** A file that each RocksDB has. */
const ROCKSDB_FILE = "CURRENT";
/** RocketMQ 5's, of a broker with `enableControllerMode`. */
const EPOCH_FILE = "epochFileCheckpoint";

/**
 * Refuses what RocketMQ 5 can keep beside, or instead of, plain ConsumeQueues: opened without it, messages would be missing or misread,
 * or, with RocksDB, the offsets of all consumer groups would be those of long ago.
 *
 * @throws MillraceError `ERR_CONSUME_QUEUE_UNSUPPORTED`
 */
export function refuseUnsupportedDirectories(storage: Storage, paths: StorePaths): void {
  refuse(firstQueueIn(storage, paths.batchConsumeQueue), "BatchConsumeQueue, the queue of a topic of batches");
  refuse(firstQueueIn(storage, paths.consumeQueueExt), "ConsumeQueueExt, made with enableConsumeQueueExt");
  refuse(
    rocksDbIn(storage, paths.consumeQueue) ?? rocksDbIn(storage, paths.consumeQueueRocksDb),
    "RocksDB of ConsumeQueues, made with storeType=defaultRocksDB",
  );
  const lmq = storage.list(paths.consumeQueue).find(({ name, kind }) => kind === "directory" && name.startsWith(LMQ_TOPIC_PREFIX));
  refuse(lmq === undefined ? undefined : join(paths.consumeQueue, lmq.name), "light message queue, made with enableLmq");
}

/**
 * Refuses to follow a plain master with a directory of a RocketMQ controller group: its log is cut and continued by epochs, of which a
 * plain master knows nothing.
 *
 * @throws MillraceError `ERR_HA_CONTROLLER`
 */
export function refuseControllerGroup(storage: Storage, { root }: StorePaths): void {
  const path = join(root, EPOCH_FILE);
  if (!storage.exists(path)) return;
  throw new MillraceError("ERR_HA_CONTROLLER", `the directory belongs to a controller group: path=${path}`);
}

/** Empty directories of topics mean nothing: RocketMQ leaves them behind. */
function firstQueueIn(storage: Storage, directory: string): string | undefined {
  for (const topic of storage.list(directory)) {
    if (topic.kind !== "directory") continue;
    const queue = storage.list(join(directory, topic.name)).find(({ kind }) => kind === "directory");
    if (queue !== undefined) return join(directory, topic.name, queue.name);
  }
  return undefined;
}

function rocksDbIn(storage: Storage, directory: string): string | undefined {
  const path = join(directory, ROCKSDB_FILE);
  return storage.exists(path) ? path : undefined;
}

function refuse(path: string | undefined, what: string): void {
  if (path === undefined) return;
  throw new MillraceError(
    "ERR_CONSUME_QUEUE_UNSUPPORTED",
    `the directory holds a ${what}, which cannot be read here: path=${path}`,
  );
}
