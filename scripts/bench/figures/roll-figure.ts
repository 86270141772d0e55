import { runInChild } from "../measurements/child-measurement.js";
import type { RollResult } from "../measurements/job.js";
import type { Figure } from "./figure.js";
import type { Goal } from "./goal.js";
import { median, type Results } from "./results.js";
import { formatRate } from "./table.js";

/** The slowest puts near a change of segments against the slow ones of all others. */
export const ROLL: Figure = {
  name: "roll",
  meaning: "puts while segments are changed",
  once: ({ options, directory, wants }) => {
    const seconds = options.quick ? 4 : 10;
    if (!wants("roll")) return [];
    return [
      async (results) => {
        results.rolls.push(await runInChild<RollResult>(directory, (empty) => ({ kind: "roll", seconds, directory: empty })));
      },
    ];
  },
  goals: (results) => [judgeRoll(results)],
  heading: "Single figures",
  lines: ({ rolls }) =>
    rolls.map(
      (roll) =>
        `- ${roll.rolls} rolls at ${formatRate(roll.msgPerSec)} messages/s: ` +
        `${roll.nearMessages} messages near one, ${roll.steadyMessages} others`,
    ),
};

function judgeRoll({ rolls }: Results): Goal {
  const near = median(rolls.map((roll) => roll.nearP9999Us));
  const wasMeasured = rolls.some((roll) => roll.nearMessages > 0);
  const steady = median(rolls.map((roll) => roll.steadyP999Us));
  return {
    name: "segment roll: p99.99 near it against steady p99.9",
    measured: !wasMeasured ? "-" : `${(near / steady).toFixed(2)} x (${near.toFixed(0)} against ${steady.toFixed(0)} us)`,
    wanted: "at most 1.5 x",
    reached: !wasMeasured ? undefined : near <= 1.5 * steady,
  };
}
