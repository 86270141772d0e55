import type { BenchOptions } from "./bench-options.js";
import { runInChild } from "./child-measurement.js";
import type { JavaPeer } from "./java-peer.js";
import type { DispatchLagFigure, KeepUpFigure, ReadFigure, RecoveryFigure } from "./read-path-job.js";
import { READ_CONTESTANTS } from "./read-path-job.js";
import type { Results } from "./results.js";

export type Task = (results: Results) => Promise<void>;
/** Whether the user asked for the part of this name. */
export type Wants = (name: string) => boolean;

const GIB = 1024 ** 3;
const RECOVERY_SIZES = [128, 1024];

/** One round of reading: contestant after contestant. */
export function readRound(options: BenchOptions, directory: string, wants: Wants, java: JavaPeer | undefined): Task[] {
  const { seconds, warmUpSeconds, quick } = options;
  const messages = quick ? 100_000 : 500_000;
  return READ_CONTESTANTS.filter(
    (contestant) => wants(`consume-get/${contestant}`) && (contestant !== "java" || java !== undefined),
  ).map(
    (contestant): Task =>
      async (results) => {
        const figure = await runInChild<ReadFigure>(directory, (empty) => ({
          kind: "read",
          contestant,
          messages,
          seconds,
          warmUpSeconds,
          directory: empty,
          java,
        }));
        results.addRead(contestant, figure);
      },
  );
}

/** What is measured once, or a few times, for as long as it takes. */
export function readPathFigures(options: BenchOptions, directory: string, wants: Wants): Task[] {
  const { quick, gib } = options;
  const times = quick ? 1 : 3;
  const dispatchLag: Task = async (results) => {
    const seconds = quick ? 2 : 5;
    const figure = await runInChild<DispatchLagFigure>(directory, (empty) => ({ kind: "dispatch-lag", seconds, directory: empty }));
    results.dispatchLags.push(figure);
  };
  const keepUp: Task = async (results) => {
    const figure = await runInChild<KeepUpFigure>(directory, (empty) => ({ kind: "keep-up", bytes: gib * GIB, directory: empty }));
    results.keepUps.push(figure);
  };
  const recovery: Task = async (results) => {
    for (const messageSize of RECOVERY_SIZES) {
      const bytes = quick ? GIB / 4 : GIB;
      const figure = await runInChild<RecoveryFigure>(directory, (empty) => ({
        kind: "recovery",
        bytes,
        messageSize,
        directory: empty,
      }));
      results.recoveries.push(figure);
    }
  };
  return [
    ...(wants("dispatch-lag") ? Array.from({ length: times }, () => dispatchLag) : []),
    ...(wants("dispatch-keep-up") ? [keepUp] : []),
    ...(wants("recovery") ? Array.from({ length: times }, () => recovery) : []),
  ];
}
