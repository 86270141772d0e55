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
      const latency = [medianOf(rounds, ({ p50Us }) => p50Us), medianOf(rounds, ({ p99Us }) => p99Us)].map(formatUs).join(" / ");
      return [name, `${formatRate(medianOf(rates, (rate) => rate) ?? Number.NaN)}${formatSpread(rates)}`, latency];
    });
    return rows.length === 0 ? [] : table(["role, in flight", "messages/s", "p50 / p99"], rows);
  },
};

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

function replicationGoals(results: Results): Goal[] {
  const figure = (name: string, key: "msgPerSec" | "p50Us"): number | undefined =>
    medianOf(results.replication.get(name) ?? [], (result) => result[key]);
  const [followed, alone] = ["ASYNC_MASTER", "alone"].map((role) => figure(nameOf(role, FULL_SPEED), "msgPerSec"));
  const ratio = followed === undefined || alone === undefined ? undefined : followed / alone;
  const times = (value: number): string => `${value.toFixed(2)} x`;
  const kept = "ASYNC_MASTER with a slave against the rate without";
  return [
    goalOf(kept, `at least ${WANTED_RATIO} x on 8 cores`, ratio, times, (value) => value >= WANTED_RATIO),
    ...WINDOWS.map((inFlight) => {
      const theirs = JAVA_CONFIGURATIONS.flatMap(
        (configuration) => figure(nameOf(javaName(configuration), inFlight), "p50Us") ?? [],
      );
      const ours = figure(nameOf("SYNC_MASTER", inFlight), "p50Us");
      const value = ours === undefined || theirs.length === 0 ? undefined : ours / Math.min(...theirs);
      return goalOf(
        `SYNC_MASTER's p50 with ${inFlight} in flight against RocketMQ's best`,
        "less than 1 x",
        value,
        times,
        (x) => x < 1,
      );
    }),
  ];
}
