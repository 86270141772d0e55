import { setTimeout } from "node:timers/promises";
import { MillraceError, QUEUE_OFFSET_PUT_LIMIT, shownValue } from "@millrace/format";
import {
  ControlBlock,
  initializeQueues,
  type QueueTableBuffers,
  QueueTableWriter,
  ServiceFailure,
  type ServiceOutcome,
} from "@millrace/shared-memory";
import { syncDeletedQueues } from "../marks/deleted-queues.js";
import type { IdleThreads } from "../pipeline/idle-threads.js";
import { Pipeline } from "../pipeline/pipeline.js";
import { pipelineData } from "../pipeline/pipeline-data.js";
import { TopicTable } from "../put/topic-table.js";
import type { RecoveredQueue } from "../recover/dispatch-recovery.js";
import { HaStatus } from "./ha-status.js";
import { configFileWriter, type OpenedDirectory } from "./open-directory.js";
import { openProgress, type Progress } from "./open-progress.js";

const DISPATCH_LOOK_MS = 100;

/** The services of a directory, running, and what they and main's parts share. */
export interface OpenedPipeline {
  readonly pipeline: Pipeline;
  readonly topics: TopicTable;
  readonly progress: Progress;
  readonly ha: HaStatus;
}

/**
 * Everything of `open` between the recovered directory and the parts on main. On failure no service runs any more.
 * @param threads of the pipeline from now on
 */
export async function openPipeline(
  directory: OpenedDirectory,
  threads: IdleThreads,
  signal: AbortSignal | undefined,
): Promise<OpenedPipeline> {
  const { config, deletedTopics, dispatch, events, paths, recovery, spec, storage } = directory;
  let pipeline: Pipeline | undefined;
  try {
    // Before any service runs: a file that cannot be understood ends the opening here.
    const progress = await openProgress(
      directory,
      configFileWriter(directory, () => pipeline),
    );
    // Not before: it says which of the offsets that were saved are of an earlier life.
    deletedTopics.prune(recovery.minOffset, recovery.maxOffset, (topic) => syncDeletedQueues(storage, paths.consumeQueue, topic));
    const data = pipelineData(config, spec, { ...recovery, ...dispatch, deletedTopics: deletedTopics.offsets });
    const control = ControlBlock.attach(data.control, "main");
    const topics = new TopicTable(new QueueTableWriter(data.queues, control.counters.queueSlots));
    registerQueues(dispatch.queues, topics, data.queues);
    const ha = new HaStatus(events, topics, control);
    pipeline = await Pipeline.start(threads, data, control, ha.onReport);
    await dispatched(pipeline, recovery.maxOffset, signal);
    return { pipeline, topics, progress, ha };
  } catch (error) {
    await pipeline?.destroy();
    leaveUnused(directory, pipeline === undefined);
    throw error;
  }
}

/**
 * Until what recovery found missing in the ConsumeQueues and the index is there again (RocketMQ 4.9: `start` waits for it too), or
 * cannot be made for now: on a full disk the store is opened all the same, and goes on trying.
 *
 * @throws MillraceError `ERR_ABORTED`, `ERR_PIPELINE_START`; the threads are not destroyed then
 */
async function dispatched(pipeline: Pipeline, maxOffset: number, signal: AbortSignal | undefined): Promise<void> {
  const { reputFromOffset, dispatchFailures } = pipeline.control.counters;
  using _watched = pipeline.watch(["dispatch"]);
  let ended: ServiceOutcome | undefined;
  void pipeline.firstEnd.then((outcome) => {
    ended = outcome;
  });
  for (let at = reputFromOffset.get(); at < maxOffset && dispatchFailures.get() === 0; at = reputFromOffset.get()) {
    if (ended === undefined && signal?.aborted !== true) {
      await Promise.race([reputFromOffset.waitAsync(at), setTimeout(DISPATCH_LOOK_MS)]);
      continue;
    }
    // A dispatcher that is stopped dispatches all there is first: it is for the caller to cut it off.
    if (ended === undefined)
      throw new MillraceError("ERR_ABORTED", `dispatching was aborted: reason=${shownValue(signal?.reason)} offset=${at}`);
    await pipeline.stop();
    const reason = ended.ok ? "it ended" : ended.message;
    const message = `a service ended while records were dispatched: offset=${at} reason=${reason}`;
    throw new MillraceError("ERR_PIPELINE_START", message, ended.ok ? {} : { cause: new ServiceFailure(ended) });
  }
}

/**
 * After an opening that has failed. What says that the store is in use goes, unless the life before this one left it, or services
 * ran and were not asked to end.
 */
function leaveUnused({ abort, recovery }: OpenedDirectory, isUnused: boolean): void {
  try {
    if (isUnused && recovery.lastExitOk) abort.remove();
  } catch {
    // It stays, and costs the next opening time. Why this one has failed must not be hidden.
  }
}

/** Gives each recovered queue its slot and its offsets, before any service looks at them. @forTests */
export function registerQueues(queues: readonly RecoveredQueue[], topics: TopicTable, table: QueueTableBuffers): void {
  const initialize = initializeQueues(table);
  for (const queue of queues) {
    const slot = topics.slot(topics.recovered(queue.topic), queue.queueId);
    if (queue.nextQueueOffset > QUEUE_OFFSET_PUT_LIMIT) topics.setFull(slot);
    initialize(slot, {
      nextQueueOffsets: queue.nextQueueOffset,
      maxQueueOffsets: queue.maxQueueOffset,
      minQueueOffsets: queue.minQueueOffset,
    });
  }
}
