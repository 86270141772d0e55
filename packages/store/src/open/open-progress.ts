import { SCHEDULE_TOPIC } from "@millrace/format";
import { type ControlBlock, endOffset, type QueueTableBuffers, queueColumns } from "@millrace/shared-memory";
import { type ConsumedQueues, ConsumerOffsets } from "../broker/consumer-offsets.js";
import { DelayOffsets } from "../broker/delay/delay-offsets.js";
import { SavedArrivals } from "../broker/delay/saved-arrivals.js";
import type { TopicTable } from "../put/topic-table.js";
import type { CutOffset, ProgressReport } from "../recover/recovery-report.js";
import type { ConfigFileWriter, OpenedDirectory } from "./open-directory.js";

/** How far consumer groups and delay levels have come, as the files of `config` say and the queues allow. */
export interface Progress {
  readonly consumerOffsets: ConsumerOffsets;
  readonly delayOffsets: DelayOffsets;
  readonly delayArrivals: SavedArrivals;
  readonly report: ProgressReport;
}

/**
 * Reads the files, and holds the offsets against the recovered queues. What is cut is durable before anything can be put: a queue that
 * has grown again up to an offset of its lost end does not show any more that the offset is wrong.
 *
 * @param files how they are written while the store is open
 * @throws MillraceError `ERR_CONSUMER_OFFSETS_CORRUPT`, `ERR_DELAY_OFFSETS_CORRUPT`; `ERR_PATH_UNUSABLE`: what was cut cannot be saved
 */
export async function openProgress(
  { config, deletedTopics, dispatch, paths, recovery, storage }: OpenedDirectory,
  files: ConfigFileWriter,
): Promise<Progress> {
  const { consumerOffset, delayArrivals, delayOffset } = paths;
  const interval = config.flushDelayOffsetInterval;
  const consumerOffsets = ConsumerOffsets.open(storage, consumerOffset, interval, (content, at) =>
    files.writeConfigFile(consumerOffset, content, at),
  );
  const delayOffsets = DelayOffsets.open(storage, delayOffset, (content, at) => files.writeConfigFile(delayOffset, content, at));
  const arrivals = SavedArrivals.open(storage, delayArrivals, (content) => files.writeOwnFile(delayArrivals, content));
  const ends = new Map(
    dispatch.queues.map((queue) => [`${queue.topic}-${queue.queueId}`, Math.max(queue.nextQueueOffset, queue.maxQueueOffset)]),
  );
  const endOf = (topic: string, queueId: number): number => ends.get(`${topic}-${queueId}`) ?? 0;
  const damagedFiles = [...consumerOffsets.damagedFiles, ...delayOffsets.damagedFiles];
  const cutOffsets = [
    ...consumerOffsets.hold({ logOffset: recovery.maxOffset, endOf }, deletedTopics.offsets),
    ...cutDelayOffsets(delayOffsets, endOf),
  ];
  await consumerOffsets.persist();
  await delayOffsets.save(isDelivered);
  await arrivals.hold((level) => endOf(SCHEDULE_TOPIC, level - 1));
  return { consumerOffsets, delayOffsets, delayArrivals: arrivals, report: { damagedFiles, cutOffsets } };
}

/** Recovery has made the whole log durable. */
async function isDelivered(): Promise<void> {}

function cutDelayOffsets(offsets: DelayOffsets, endOf: ConsumedQueues["endOf"]): CutOffset[] {
  return offsets.levels.flatMap((level) => {
    const queueId = level - 1;
    const [offset, cutTo] = [offsets.get(level), endOf(SCHEDULE_TOPIC, queueId)];
    if (offset <= cutTo) return [];
    offsets.set(level, cutTo);
    return [{ group: undefined, topic: SCHEDULE_TOPIC, queueId, offset, cutTo, reason: "beyond-end" as const }];
  });
}

/** The queues of an open store as commits are held against them. A queue's life is its queue slot: after a deletion it gets another. */
export function consumedQueues(table: QueueTableBuffers, control: ControlBlock<"main">, topics: TopicTable): ConsumedQueues {
  const { nextQueueOffsets, maxQueueOffsets } = queueColumns(table, control);
  return {
    get logOffset() {
      return endOffset(control.counters);
    },
    endOf: (topic, queueId) => {
      const slot = topics.findSlot(topic, queueId);
      return slot === undefined ? 0 : Math.max(nextQueueOffsets.get(slot), maxQueueOffsets.get(slot));
    },
    lifeOf: (topic, queueId) => topics.findSlot(topic, queueId),
  };
}
