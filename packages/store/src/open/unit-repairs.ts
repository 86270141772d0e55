import type { Pipeline } from "../pipeline/pipeline.js";
import type { OnBadUnit } from "../read/unit-verifier.js";

/** Has the dispatch thread build bad units again that readers have met: each file once at a time. */
export function unitRepairs(pipeline: Pipeline): OnBadUnit {
  const underWay = new Set<string>();
  return (queue, queueOffset) => {
    const path = queue.pathOf(queueOffset);
    if (underWay.has(path) || pipeline.isStopping) return;
    underWay.add(path);
    const isDone = (): boolean => underWay.delete(path);
    pipeline.repairUnit(queue.slot, queueOffset).then(isDone, isDone);
  };
}
