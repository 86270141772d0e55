import { setTimeout } from "node:timers/promises";
import type { Pipeline } from "../pipeline/pipeline.js";
import type { OnBadUnit } from "../read/unit-verifier.js";

/** Units that could not be built again are remembered up to this number; then they are tried again. */
const HOPELESS_LIMIT = 100_000;
/** Before it is tried again for want of a descriptor. */
const REFUSED_MS = 100;
/** Where log or queue could not be read, a unit is tried again for those who read it then; that may never help, and costs an event. */
const UNREAD_MS = 1000;

/**
 * Has the dispatch thread build bad units again that readers have met: each once at a time, and never again where the log was read and has
 * no record for it.
 */
export function unitRepairs(pipeline: Pick<Pipeline, "repairUnit" | "isStopping">): OnBadUnit {
  const underWay = new Set<string>();
  const hopeless = new Set<string>();
  const repair = async (slot: number, queueOffset: number, name: string): Promise<void> => {
    try {
      while (!pipeline.isStopping) {
        const { isDone, isRight, isRefused, isUnread } = await pipeline.repairUnit(slot, queueOffset);
        if (isRefused === true) await setTimeout(REFUSED_MS, undefined, { ref: false });
        if (!isDone) continue;
        if (isUnread === true) return await setTimeout(UNREAD_MS, undefined, { ref: false });
        if (hopeless.size >= HOPELESS_LIMIT) hopeless.clear();
        if (!isRight) hopeless.add(name);
        return;
      }
    } catch {
      // The thread has ended, and the store says so.
    } finally {
      underWay.delete(name);
    }
  };
  return (queue, queueOffset) => {
    const name = `${queue.slot} ${queueOffset}`; // a topic that was deleted and put again has other slots
    if (hopeless.has(name)) return true;
    if (!underWay.has(name) && !pipeline.isStopping) {
      underWay.add(name);
      void repair(queue.slot, queueOffset, name);
    }
    return false;
  };
}
