import type { MessagePort } from "node:worker_threads";
import { failedService, type ServiceOutcome } from "./agent.js";
import { postOutcome } from "./service-report.js";

/** What a service's life is given. */
export interface ServiceTask<D> {
  readonly port: MessagePort;
  readonly data: D;
}

/** What a service's thread is given. */
export interface ServiceEntry<D> {
  readonly name: string;
  readonly task: ServiceTask<D>;
}

/**
 * Makes a service's life the entry of its thread, which its module exports as default: begins the service and returns. A task of
 * piscina's that lasted as long as the service would keep the process alive for as long; so how it ended goes through the control port,
 * whose hold on the process is ours to say.
 */
export function serviceEntry<D>(life: (task: ServiceTask<D>) => Promise<ServiceOutcome>): (entry: ServiceEntry<D>) => void {
  return ({ name, task }) => void run(name, life, task);
}

async function run<D>(name: string, life: (task: ServiceTask<D>) => Promise<ServiceOutcome>, task: ServiceTask<D>): Promise<void> {
  postOutcome(task.port, await outcomeOf(name, life, task));
  task.port.close();
}

async function outcomeOf<D>(
  name: string,
  life: (task: ServiceTask<D>) => Promise<ServiceOutcome>,
  task: ServiceTask<D>,
): Promise<ServiceOutcome> {
  try {
    return await life(task);
  } catch (error) {
    return failedService(name, error, "ERR_SERVICE_DIED");
  }
}
