import type { JavaPeer } from "../java/java-peer.js";
import type { JavaConfiguration } from "../java/java-process.js";
import { runInChild } from "../measurements/child-measurement.js";
import type { ReplicationResult, ReplicationRole } from "../measurements/job.js";
import type { Bench, Figure, Task } from "./figure.js";
import { type Goal, goalOf } from "./goal.js";
import { medianOf, type Results } from "./results.js";
import { formatRate, formatSpread, formatUs, type Row, table } from "./table.js";

const FULL_SPEED = 1024;
const WINDOWS = [1, 64] as const;
const JAVA_CONFIGURATIONS: readonly JavaConfiguration[] = ["default", "warm"];
const WANTED_RATIO = 0.85;

const OURS: readonly (readonly [ReplicationRole, number])[] = [
  ["alone", FULL_SPEED],
  ["ASYNC_MASTER", FULL_SPEED],
  ...WINDOWS.map((inFlight) => ["SYNC_MASTER", inFlight] as const),
];

/** What a slave costs its master, and how soon a SYNC_MASTER acknowledges, beside RocketMQ's own pair. */
export const REPLICATION: Figure = {
  name: "replication",
  meaning: "puts with a slave in a process of its own, and RocketMQ's pair",
  round: (bench) => (bench.wants("replication") ? [...OURS.map((own) => ourTask(bench, own)), ...javaTasks(bench)] : []),
  goals: replicationGoals,
  heading: "Replication: one slave on the same machine, ASYNC_FLUSH on both, 128 B",
  lines: ({ replication }) => {
    const rows = [...replication].map(([name, rounds]): Row => {
      const rates = rounds.map(({ msgPerSec }) => msgPerSec);
      const times = [medianOf(rounds, ({ p50Us }) => p50Us), medianOf(rounds, ({ p99Us }) => p99Us), answeredOf(rounds)];
      const latency = times.map(formatUs).join(" / ");
      return [name, `${formatRate(medianOf(rates, (rate) => rate) ?? Number.NaN)}${formatSpread(rates)}`, latency];
    });
    return rows.length === 0
      ? []
      : table(["role, in flight", "messages/s", "p50 / p99 / p50 until its producer has the answer"], rows);
  },
};

function answeredOf(rounds: readonly ReplicationResult[]): number | undefined {
  return medianOf(rounds, ({ answeredP50Us }) => answeredP50Us);
}

function nameOf(who: string, inFlight: number): string {
  return `${who}, ${inFlight}`;
}

function javaName(configuration: JavaConfiguration): string {
  return `RocketMQ SYNC_MASTER (${configuration})`;
}

function ourTask({ options, directory }: Bench, [role, inFlight]: readonly [ReplicationRole, number]): Task {
  const { seconds, warmUpSeconds } = options;
  return async (results) => {
    const job = (empty: string) => ({ kind: "replication", role, inFlight, seconds, warmUpSeconds, directory: empty }) as const;
    results.addReplication(nameOf(role, inFlight), await runInChild<ReplicationResult>(directory, job));
  };
}

function javaTasks({ options, directory, java }: Bench): Task[] {
  return java === undefined ? [] : JAVA_CONFIGURATIONS.map((configuration) => javaTask(options, directory, java, configuration));
}

function javaTask(options: Bench["options"], directory: string, java: JavaPeer, configuration: JavaConfiguration): Task {
  const { seconds, warmUpSeconds } = options;
  return async (results) => {
    const job = (empty: string) =>
      ({ kind: "java-replication", java, configuration, windows: WINDOWS, seconds, warmUpSeconds, directory: empty }) as const;
    const measured = await runInChild<ReplicationResult[]>(directory, job);
    for (const [index, result] of measured.entries())
      results.addReplication(nameOf(javaName(configuration), WINDOWS[index] ?? 0), result);
  };
}

function replicationGoals({ replication }: Results): Goal[] {
  const roundsOf = (name: string): readonly ReplicationResult[] => replication.get(name) ?? [];
  const rateOf = (role: ReplicationRole): number | undefined =>
    medianOf(roundsOf(nameOf(role, FULL_SPEED)), ({ msgPerSec }) => msgPerSec);
  const kept = "ASYNC_MASTER with a slave against the rate without";
  const ratio = quotient(rateOf("ASYNC_MASTER"), rateOf("alone"));
  return [
    goalOf(kept, `at least ${WANTED_RATIO} x on 8 cores`, ratio, times, (value) => value >= WANTED_RATIO),
    ...WINDOWS.flatMap((inFlight) => {
      const ours = answeredOf(roundsOf(nameOf("SYNC_MASTER", inFlight)));
      const theirs = JAVA_CONFIGURATIONS.map((configuration) => roundsOf(nameOf(javaName(configuration), inFlight)));
      const best = (of: (rounds: readonly ReplicationResult[]) => number | undefined): number | undefined => {
        const known = theirs.flatMap((rounds) => of(rounds) ?? []);
        return known.length === 0 ? undefined : Math.min(...known);
      };
      const what = `SYNC_MASTER's p50 with ${inFlight} in flight against RocketMQ's best`;
      const completed = best((rounds) => medianOf(rounds, ({ p50Us }) => p50Us));
      return [
        goalOf(what, "less than 1 x", quotient(ours, completed), times, isLess),
        goalOf(`${what}, until its producer has the answer`, "less than 1 x", quotient(ours, best(answeredOf)), times, isLess),
      ];
    }),
  ];
}

function quotient(value: number | undefined, by: number | undefined): number | undefined {
  return value === undefined || by === undefined ? undefined : value / by;
}

function times(value: number): string {
  return `${value.toFixed(2)} x`;
}

function isLess(value: number): boolean {
  return value < 1;
}
