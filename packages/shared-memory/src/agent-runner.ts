import { setImmediate } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import { type Endpoint, expose } from "comlink";
import { type Agent, type AgentControl, failedService, type ServiceOutcome } from "./agent.js";
import type { ControlBlock } from "./control-block.js";
import { heartbeatWord, type ServiceRole, ServiceState, stateWord } from "./control-block-descriptor.js";
import type { OwnedCounter, ReadableCounter } from "./counter.js";
import { monotonicUs } from "./monotonic-clock.js";

/** An idle service looks around this often: heartbeat, control calls that raced with its falling asleep. */
const IDLE_WAIT_MS = 50;
/** A turn of the event loop costs some ten microseconds. */
const EVENTS_INTERVAL_US = 500;

export interface AgentWords {
  readonly state: OwnedCounter;
  readonly heartbeatUs: OwnedCounter;
  /** Rung after a control message was posted; pairs with `ServiceThread.call`. */
  readonly controlBell: ReadableCounter;
}

/**
 * Runs an agent on this worker until it is asked to stop or throws. The loop is synchronous, because the data path has no messages; it
 * lets the event loop run only when the bell says that a control call waits in `port`.
 */
export async function runAgent<C extends object, R extends ServiceRole>(
  agent: Agent,
  control: C,
  port: MessagePort,
  block: ControlBlock<R>,
): Promise<ServiceOutcome> {
  const words = wordsOf(block);
  let stopping = false;
  const base: AgentControl = {
    started: () => {},
    stop: () => {
      stopping = true;
    },
  };
  let outcome: ServiceOutcome = { ok: true };
  try {
    agent.onStart();
    expose(Object.assign(control, base), port as unknown as Endpoint);
    words.state.set(ServiceState.running);
    words.heartbeatUs.set(Math.floor(monotonicUs()));
    let bellAnswered = -1;
    let eventsUs = 0;
    for (;;) {
      const bell = words.controlBell.get();
      if (bell !== bellAnswered) {
        await letMessagesIn();
        bellAnswered = bell;
      }
      const nowUs = monotonicUs();
      words.heartbeatUs.set(Math.floor(nowUs)); // before the events: what comes with them may say a later one
      if (agent.awaitsEvents === true && nowUs - eventsUs > EVENTS_INTERVAL_US) {
        await letMessagesIn();
        eventsUs = nowUs;
      }
      if (agent.doWork() !== 0) continue;
      if (stopping) break;
      words.state.set(ServiceState.waiting);
      agent.waitForWork(IDLE_WAIT_MS);
      words.state.set(ServiceState.running);
    }
    agent.onStop?.();
  } catch (error) {
    outcome = failedService(block.role, error, "ERR_SERVICE_FAILED");
  }
  try {
    await agent.onClose();
  } catch (error) {
    if (outcome.ok) outcome = failedService(block.role, error, "ERR_SERVICE_FAILED");
  }
  words.state.set(outcome.ok ? ServiceState.stopped : ServiceState.failed);
  await letMessagesIn(); // the answer to stop() is still on its way
  return outcome;
}

export function wordsOf<R extends ServiceRole>({ role, counters }: ControlBlock<R>): AgentWords {
  const own = counters as unknown as Record<string, OwnedCounter>; // the names follow from the role
  return {
    state: own[stateWord(role)] as OwnedCounter,
    heartbeatUs: own[heartbeatWord(role)] as OwnedCounter,
    controlBell: counters.controlBell,
  };
}

/** Two turns: the first may start after this turn's poll phase, the second one polls for sure. */
export async function letMessagesIn(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
