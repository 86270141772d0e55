import type { Figure } from "./figure.js";
import { type Goal, goalOf } from "./goal.js";
import { medianOf, type Results } from "./results.js";

/** Two contestants of the workloads, compared with each other. */
export const WITH_DISPATCH: Figure = {
  name: "with-dispatch",
  meaning: "puts with and without the dispatcher",
  goals: (results) => [judgeWithDispatch(results, 128), judgeWithDispatch(results, 1024)],
};

/** Of the same round, because rounds differ more from each other than the two do. */
function judgeWithDispatch(results: Results, size: number): Goal {
  const rates = (contestant: "store-mapped" | "store-undispatched"): number[] =>
    results.rates(contestant, "page-cache", size, 1024);
  const alone = rates("store-undispatched");
  const shares = rates("store-mapped").flatMap((rate, round) => (alone[round] === undefined ? [] : [rate / alone[round]]));
  const share = medianOf(shares, (value) => value);
  const show = (value: number): string => `${(100 * value).toFixed(0)} % of the rate without it`;
  return goalOf(`ASYNC_FLUSH with dispatch, ${size} B`, "85 %", share, show, (value) => value >= 0.85);
}
