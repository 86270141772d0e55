import type { Pipeline } from "../pipeline/pipeline.js";
import type { OnBadUnit } from "../read/unit-verifier.js";

/**
 * Has the dispatch thread build bad units again that readers have met: each file once at a time, and once more when one was met meanwhile.
 */
export function unitRepairs(pipeline: Pipeline): OnBadUnit {
  const underWay = new Set<string>();
  const again = new Map<string, () => void>();
  const onBadUnit: OnBadUnit = (queue, queueOffset) => {
    const path = queue.pathOf(queueOffset);
    if (underWay.has(path)) {
      again.set(path, () => onBadUnit(queue, queueOffset));
      return;
    }
    if (pipeline.isStopping) return;
    underWay.add(path);
    const onDone = (): void => {
      underWay.delete(path);
      const next = again.get(path);
      again.delete(path);
      next?.();
    };
    pipeline.repairUnit(queue.slot, queueOffset).then(onDone, onDone);
  };
  return onBadUnit;
}
