import type { MessagePort } from "node:worker_threads";
import { failedService, type ServiceOutcome } from "./agent.js";
import { postOutcome } from "./service-report.js";

/** What a service worker's default export receives. */
export interface ServiceTask<D> {
  readonly port: MessagePort;
  readonly data: D;
}

/** What {@link serviceEntry} receives. */
export interface ServiceEntry {
  readonly name: string;
  /** URL of the service's module. */
  readonly file: string;
  readonly task: ServiceTask<unknown>;
}

/**
 * Entry of every service thread: begins the service and returns. A task of piscina's that lasted as long as the service would keep the
 * process alive for as long; so how it ended goes through the control port, whose hold on the process is ours to say.
 */
export default function serviceEntry(entry: ServiceEntry): void {
  void run(entry);
}

async function run({ name, file, task }: ServiceEntry): Promise<void> {
  postOutcome(task.port, await outcomeOf(name, file, task));
  task.port.close();
}

async function outcomeOf(name: string, file: string, task: ServiceTask<unknown>): Promise<ServiceOutcome> {
  try {
    const service = (await import(file)) as { readonly default: (task: ServiceTask<unknown>) => Promise<ServiceOutcome> };
    return await service.default(task);
  } catch (error) {
    return { ...failedService(name, error, "ERR_SERVICE_DIED"), code: "ERR_SERVICE_DIED" };
  }
}
