import { type StorePaths, storePaths } from "@millrace/format";
import { createStorage, type Storage } from "@millrace/mapped-file";
import {
  ControlBlock,
  DispatchHints,
  runAgent,
  type ServiceOutcome,
  type ServiceTask,
  serviceEntry,
} from "@millrace/shared-memory";
import { DeletedTopics } from "../marks/deleted-topics.js";
import { readDispatchedMark, writeDispatchedMark } from "../marks/dispatched-mark.js";
import type { DispatchControl } from "../pipeline/controls.js";
import type { PipelineData } from "../pipeline/pipeline-data.js";
import { ServiceEvents } from "../tell/service-events.js";
import { ConsumeQueueDispatcher } from "./consume-queue-dispatcher.js";
import { ConsumeQueueForcer } from "./consume-queue-forcer.js";
import { ConsumeQueueScrub } from "./consume-queue-scrub.js";
import { ExpiredConsumeQueues } from "./expired-consume-queues.js";
import { IndexDispatcher } from "./index-dispatcher.js";
import { OwnDispatcher } from "./own-dispatcher.js";
import { OwnDispatcherForces } from "./own-dispatcher-forces.js";
import { ReputMessageService } from "./reput-message-service.js";
import { SegmentNoter } from "./segment-noter.js";

/** Life of the dispatch thread. */
async function dispatchWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const { config } = data;
  const control = ControlBlock.attach(data.control, "dispatch");
  const { counters } = control;
  const storage = createStorage(data.storage);
  const paths = storePaths(config.storePathRootDir, config.storePathCommitLog);
  const events = new ServiceEvents(port);
  const consumeQueues = new ConsumeQueueDispatcher(storage, config, data.queues, control, data.deletedTopics, events);
  const index = config.messageIndexEnable
    ? new IndexDispatcher(storage, paths, config, data.indexFromOffset, (timestamp) => counters.indexMsgTimestamp.set(timestamp))
    : undefined;
  const own = await Promise.all(config.commitLogDispatchers.map((module) => OwnDispatcher.load(module, config.storePathRootDir)));
  let fromOffset = counters.reputFromOffset.value;
  for (const dispatcher of own) {
    const handled = dispatcher.handledOffset();
    if (handled < fromOffset) fromOffset = Math.max(handled, counters.minOffset.get());
  }
  counters.reputFromOffset.beginAt(fromOffset);
  const mark = dispatchedMarkWriter(storage, paths, index, counters.wroteOffset.get());
  try {
    consumeQueues.beginNotes();
    mark(counters.reputFromOffset.value);
  } catch {
    // On a full disk: the old mark would vouch for what is dispatched from now on. Without one everything is looked at when the
    // store opens.
    storage.remove(paths.dispatchedMark);
    storage.syncDirectory(paths.root);
  }
  const indexes = index === undefined ? [] : [index];
  const others = [...indexes, ...own];
  const notes = new SegmentNoter(storage, paths, config, consumeQueues, counters.wroteOffset.get());
  const onDurable = (offset: number): void => {
    mark(offset);
    notes.note();
  };
  const ownForces = own.length === 0 ? undefined : new OwnDispatcherForces(own, events);
  const flush = new ConsumeQueueForcer(control, storage, config, consumeQueues, indexes, onDurable, ownForces);
  const hints = data.hints === undefined ? undefined : new DispatchHints(data.hints, control);
  const service = new ReputMessageService(
    control,
    storage,
    config,
    [consumeQueues, ...others],
    flush,
    events,
    (request) => consumeQueues.dispatchCorrupt(request),
    notes,
    hints === undefined ? undefined : { hints, dispatchers: [consumeQueues, ...indexes] },
  );
  const scrub = new ConsumeQueueScrub(storage, config, consumeQueues, counters, events);
  const expired = new ExpiredConsumeQueues(
    storage,
    config,
    consumeQueues,
    [...others, notes],
    DeletedTopics.read(storage, paths.deletedTopics),
    () => counters.wroteOffset.get(),
    scrub,
  );
  return await runAgent(service, dispatchControl(expired, scrub, flush, index), port, control);
}

export default serviceEntry(dispatchWorker);

/** The methods of a class are not its own properties, which is what a control plane is made of. */
function dispatchControl(
  expired: ExpiredConsumeQueues,
  scrub: ConsumeQueueScrub,
  flush: ConsumeQueueForcer,
  index: IndexDispatcher | undefined,
): DispatchControl {
  return {
    isForcedTo: (offset) => flush.isForcedTo(offset),
    deleteExpired: (minOffset) => expired.deleteExpired(minOffset),
    deleteTopic: (topic, offset) => expired.deleteTopic(topic, offset),
    deleteQueue: (slot) => expired.deleteQueue(slot),
    scrubConsumeQueues: () => scrub.scrubConsumeQueues(),
    repairUnit: (slot, queueOffset) => scrub.repairUnit(slot, queueOffset),
    distrustIndexFile: (name) => index?.distrust(name),
  };
}

/**
 * Without an index what the mark says of one stays: it is as complete as it was, but not of a log that recovery has cut and that
 * grows again.
 */
export function dispatchedMarkWriter(
  storage: Storage,
  paths: StorePaths,
  index: IndexDispatcher | undefined,
  maxOffset: number,
): (offset: number) => void {
  const before = readDispatchedMark(storage, paths.dispatchedMark);
  const lockModifiedMs = storage.entry(paths.lock)?.modifiedMs;
  return (dispatchedOffset) => {
    const last = index?.lastFile;
    writeDispatchedMark(storage, paths.dispatchedMark, {
      dispatchedOffset,
      indexedOffset: index === undefined ? Math.min(before?.indexedOffset ?? 0, maxOffset) : index.indexedOffset,
      indexFile: index === undefined ? before?.indexFile : last?.name,
      indexEndOffset: index === undefined ? (before?.indexEndOffset ?? 0) : (last?.endPhysicalOffset ?? 0),
      lockModifiedMs,
    });
  };
}
