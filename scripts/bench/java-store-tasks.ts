import type { BenchOptions } from "./bench-options.js";
import { runInChild } from "./child-measurement.js";
import type { JavaPeer } from "./java-peer.js";
import type { Task } from "./read-path-tasks.js";
import type { Cell } from "./results.js";
import { isJavaContestant, JAVA_CONTESTANTS, type Measurement, MILLRACE_CONTESTANTS } from "./workload.js";

export function isJavaCell({ contestant }: Cell): boolean {
  return isJavaContestant(contestant);
}

/** Whether the table "Java store" shows it. */
export function isInJavaTable({ contestant }: Cell): boolean {
  return isJavaContestant(contestant) || (MILLRACE_CONTESTANTS as readonly string[]).includes(contestant);
}

/** One round of RocketMQ's store: a JVM for all of a configuration's cells. All cells have the same durability. */
export function javaStoreRound(options: BenchOptions, directory: string, java: JavaPeer, cells: readonly Cell[]): Task[] {
  const { seconds } = options;
  return JAVA_CONTESTANTS.flatMap((contestant): Task[] => {
    const own = cells.filter((cell) => cell.contestant === contestant);
    const [first] = own;
    if (first === undefined) return [];
    const task: Task = async (results) => {
      const measurements = await runInChild<Measurement[]>(directory, (empty) => ({
        kind: "java-store",
        java,
        contestant,
        durability: first.durability,
        cells: own,
        seconds,
        directory: empty,
      }));
      for (const [index, measurement] of measurements.entries()) results.add(own[index] as Cell, measurement);
    };
    return [task];
  });
}
