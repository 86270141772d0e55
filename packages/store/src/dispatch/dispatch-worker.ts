import { pathToFileURL } from "node:url";
import { MillraceError } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";
import { ControlBlock, runAgent, type ServiceOutcome, type ServiceTask } from "@millrace/shared-memory";
import type { PipelineData } from "../service-task.js";
import type { CommitLogDispatcher, CommitLogDispatcherFactory } from "./commit-log-dispatcher.js";
import { ConsumeQueueDispatcher } from "./consume-queue-dispatcher.js";
import { FlushConsumeQueueService } from "./flush-consume-queue-service.js";
import { ReputMessageService } from "./reput-message-service.js";

/** Entry of the dispatch thread. */
export default async function dispatchWorker({ data, port }: ServiceTask<PipelineData>): Promise<ServiceOutcome> {
  const { config } = data;
  const control = ControlBlock.attach(data.control, "dispatch");
  const { counters } = control;
  const storage = createStorage(data.storage);
  const consumeQueues = new ConsumeQueueDispatcher(storage, config, data.queues, counters.queueSlots, new Map());
  const own = await Promise.all(config.commitLogDispatchers.map((module) => loadDispatcher(module, config.storePathRootDir)));
  const others = [...own];
  for (const dispatcher of own) {
    const handled = dispatcher.handledOffset?.() ?? Number.MAX_SAFE_INTEGER;
    if (handled < counters.reputFromOffset.value) counters.reputFromOffset.set(Math.max(handled, counters.minOffset.get()));
  }
  const flush = new FlushConsumeQueueService(control, config, consumeQueues, others, () => {});
  const service = new ReputMessageService(control, storage, config, [consumeQueues, ...others], flush);
  const words = { state: counters.dispatchState, heartbeatUs: counters.dispatchHeartbeatUs, controlBell: counters.controlBell };
  return await runAgent(service, {}, port, words);
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
