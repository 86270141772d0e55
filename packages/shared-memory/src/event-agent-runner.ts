import type { MessagePort } from "node:worker_threads";
import { type Endpoint, expose } from "comlink";
import { type AgentControl, type EventAgent, failedService, type ServiceOutcome } from "./agent.js";
import { letMessagesIn, wordsOf } from "./agent-runner.js";
import type { ControlBlock } from "./control-block.js";
import { type ServiceRole, ServiceState } from "./control-block-descriptor.js";
import { monotonicUs } from "./monotonic-clock.js";

const TICK_MS = 50;

/** Runs an agent on this worker until it is asked to stop, throws or fails, while the event loop goes on. */
export async function runEventAgent<C extends object, R extends ServiceRole>(
  agent: EventAgent,
  control: C,
  port: MessagePort,
  block: ControlBlock<R>,
): Promise<ServiceOutcome> {
  const words = wordsOf(block);
  let outcome: ServiceOutcome = { ok: true };
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const base: AgentControl = { started: () => {}, stop: () => resolve() };
      const tick = (): void => {
        words.heartbeatUs.set(Math.floor(monotonicUs()));
        try {
          agent.onTick();
        } catch (error) {
          reject(error);
        }
      };
      const begin = async (): Promise<void> => {
        await agent.onStart(reject);
        expose(Object.assign(control, base), port as unknown as Endpoint);
        words.state.set(ServiceState.running);
        words.heartbeatUs.set(Math.floor(monotonicUs()));
        timer = setInterval(tick, TICK_MS);
      };
      begin().catch(reject);
    });
  } catch (error) {
    outcome = failedService(block.role, error, "ERR_SERVICE_FAILED");
  }
  clearInterval(timer);
  try {
    await agent.onClose();
  } catch (error) {
    if (outcome.ok) outcome = failedService(block.role, error, "ERR_SERVICE_FAILED");
  }
  words.state.set(outcome.ok ? ServiceState.stopped : ServiceState.failed);
  await letMessagesIn(); // the answer to stop() is still on its way
  return outcome;
}
