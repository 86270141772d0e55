/** A process in which stores live: takes one job at a time from its parent, and answers. */
import { judgeLife } from "./judge-life.js";
import type { LifeAnswer, LifeJob, LifeMark } from "./life-job.js";
import { loadLife } from "./load-life.js";
import { sourceLife } from "./source-life.js";

function mark(place: LifeMark): void {
  process.send?.({ mark: place });
}

async function live(job: LifeJob): Promise<LifeAnswer> {
  if (job.kind === "source") return await sourceLife(job);
  if (job.kind === "judge") return await judgeLife(job);
  return await loadLife(job, mark);
}

process.on("message", (job: LifeJob) => {
  // What it rejects with is a defect of a life, not of the store: the process ends, which is noticed.
  void live(job).then((answer) => process.send?.({ answer }));
});
