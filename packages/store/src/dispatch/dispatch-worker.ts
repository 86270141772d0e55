import { pathToFileURL } from "node:url";
import { MillraceError, storePaths } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import { ControlBlock, runAgent, type ServiceOutcome, type ServiceTask } from "@millrace/shared-memory";
import { DeletedTopics } from "../recover/deleted-topics.js";
import type { PipelineData } from "../service-task.js";
import type { CommitLogDispatcher, CommitLogDispatcherFactory } from "./commit-log-dispatcher.js";
import { ConsumeQueueDispatcher } from "./consume-queue-dispatcher.js";
import { ExpiredConsumeQueues, type ExpiredConsumeQueuesControl } from "./expired-consume-queues.js";
import { FlushConsumeQueueService } from "./flush-consume-queue-service.js";
import { ReputMessageService } from "./reput-message-service.js";

/** Entry of the dispatch thread. */
export default async function dispatchWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const { config } = data;
  const control = ControlBlock.attach(data.control, "dispatch");
  const { counters } = control;
  const storage = createStorage(data.storage);
  const deletedTopics = DeletedTopics.read(storage, storePaths(config.storePathRootDir).deletedTopics);
  const consumeQueues = new ConsumeQueueDispatcher(storage, config, data.queues, counters.queueSlots, deletedTopics.offsets);
  const own = await Promise.all(config.commitLogDispatchers.map((module) => loadDispatcher(module, config.storePathRootDir)));
  const others = [...own];
  for (const dispatcher of own) {
    const handled = dispatcher.handledOffset?.() ?? Number.MAX_SAFE_INTEGER;
    if (handled < counters.reputFromOffset.value) counters.reputFromOffset.set(Math.max(handled, counters.minOffset.get()));
  }
  const flush = new FlushConsumeQueueService(control, config, consumeQueues, others, () => {});
  const service = new ReputMessageService(control, storage, config, [consumeQueues, ...others], flush);
  const expired = new ExpiredConsumeQueues(storage, config, consumeQueues, others, deletedTopics);
  const words = { state: counters.dispatchState, heartbeatUs: counters.dispatchHeartbeatUs, controlBell: counters.controlBell };
  return await runAgent(service, expiredControl(expired), port, words);
}

/** The methods of a class are not its own properties, which is what a control plane is made of. */
function expiredControl(expired: ExpiredConsumeQueues): ExpiredConsumeQueuesControl {
  return {
    deleteExpired: (minOffset) => expired.deleteExpired(minOffset),
    deleteTopic: (topic, offset) => expired.deleteTopic(topic, offset),
    deleteQueue: (slot) => expired.deleteQueue(slot),
  };
}

/** A user's dispatcher. Errors end the opening of the store. */
async function loadDispatcher(module: string, storePathRootDir: string): Promise<CommitLogDispatcher> {
  const url = module.startsWith("file:") ? module : pathToFileURL(module).href;
  const loaded = (await import(url)) as { default?: unknown };
  if (typeof loaded.default !== "function") {
    throw new MillraceError("ERR_DISPATCHER_ILLEGAL", `a dispatcher's module exports a function as default: module=${module}`);
  }
  return await (loaded.default as CommitLogDispatcherFactory)({ storePathRootDir });
}
