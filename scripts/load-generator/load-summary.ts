import type { LatencySnapshot } from "@millrace/shared-memory";
import type { Consumption } from "./load-consumers.js";
import type { LoadOptions } from "./load-options.js";
import type { ReplicationFigures } from "./load-slaves.js";
import type { Verification } from "./log-verifier.js";

/** Where the percentiles of a report lie: each nine has a few. */
export const REPORTED_SHARES: readonly number[] = [
  0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99999, 0.999999,
];

type LatencyFigures = Pick<LatencySnapshot, "p50" | "p90" | "p99" | "p999" | "max">;

/** What a run came to: printed for people, and with `--json` as one object. */
export interface LoadSummary {
  /** Sent. */
  readonly messages: number;
  /** What `unreplicated` counts is among them. */
  readonly acked: number;
  /** In the log of a SYNC_MASTER, and answered without a slave, which was cut off. */
  readonly unreplicated: number;
  readonly failed: number;
  /** From the first put to the last acknowledgement, without the restart. */
  readonly seconds: number;
  /** Acknowledged. */
  readonly msgPerSec: number;
  /** 10^6 bytes of acknowledged bodies. */
  readonly mbPerSec: number;
  readonly latencyUs: LatencyFigures;
  /** This one and those of {@link Consumption}: with `--consume`. */
  readonly e2eLatencyUs?: LatencyFigures;
  readonly consumed?: number;
  readonly duplicates?: number;
  readonly outOfOrder?: number;
  readonly foreign?: number;
  readonly missing?: number;
  /** Closing and re-opening in the middle; with `--restart`. */
  readonly restartSeconds?: number;
  /** With `--slaves`. */
  readonly replication?: ReplicationFigures;
  readonly verified: number;
  readonly lost: number;
  /** Records in the log that no put accounts for, or that are there twice. */
  readonly unexpected: number;
  readonly problems: readonly string[];
  readonly firstFailure?: string;
  /** Stopped by a signal. */
  readonly interrupted: boolean;
  /** Re-opening, which recovers. */
  readonly recoverySeconds: number;
  readonly verifySeconds: number;
  readonly forces: number;
  readonly rolls: number;
  readonly options: LoadOptions;
}

export interface LoadFigures {
  readonly messages: number;
  readonly acked: number;
  readonly unreplicated: number;
  readonly failed: number;
  readonly firstFailure: string | undefined;
  readonly seconds: number;
  readonly latencyUs: LatencySnapshot;
  /** Share of the puts, and what they took at most; of one producer. */
  readonly percentiles?: readonly (readonly [share: number, us: number])[];
  readonly forces: number;
  readonly rolls: number;
  readonly interrupted: boolean;
  readonly restartSeconds: number | undefined;
  readonly consumption: Consumption | undefined;
  /** Where the log ended when the load began. */
  readonly fromOffset: number;
  /** What closing the store was answered with; undefined: it closed well. */
  readonly closeFailure: string | undefined;
}

export function summarize(
  options: LoadOptions,
  figures: LoadFigures,
  verification: Verification,
  recoverySeconds: number,
  verifySeconds: number,
  replication?: ReplicationFigures,
): LoadSummary {
  const { firstFailure, latencyUs, percentiles: _, restartSeconds, consumption, fromOffset: __, closeFailure, ...rest } = figures;
  const msgPerSec = figures.seconds === 0 ? 0 : figures.acked / figures.seconds;
  return {
    ...rest,
    msgPerSec,
    mbPerSec: (msgPerSec * options.messageSize) / 1e6,
    latencyUs: latencyFigures(latencyUs),
    ...(consumption === undefined ? {} : consumed(consumption)),
    ...(restartSeconds === undefined ? {} : { restartSeconds }),
    ...(replication === undefined ? {} : { replication }),
    verified: verification.verified,
    lost: verification.lost,
    unexpected: verification.unexpected,
    problems: [
      ...verification.problems,
      ...(consumption?.problems ?? []),
      ...(replication?.differences ?? []),
      ...(closeFailure === undefined ? [] : [`the store did not close well: ${closeFailure}`]),
    ],
    ...(firstFailure === undefined ? {} : { firstFailure }),
    recoverySeconds,
    verifySeconds,
    options,
  };
}

function latencyFigures({ p50, p90, p99, p999, max }: LatencySnapshot): LatencyFigures {
  return { p50, p90, p99, p999, max };
}

function consumed({ e2eLatencyUs, problems: _, ...counts }: Consumption): Partial<LoadSummary> {
  return { ...counts, e2eLatencyUs: latencyFigures(e2eLatencyUs) };
}

/** Nothing was refused, all that was acknowledged is there, and nobody has found a problem: whatever is counted is also noted as one. */
export function isGood({ failed, verified, acked, lost, unexpected, problems, ...consumption }: LoadSummary): boolean {
  const { duplicates = 0, outOfOrder = 0, foreign = 0, missing = 0 } = consumption;
  const isConsumed = duplicates + outOfOrder + foreign + missing === 0;
  return isConsumed && failed === 0 && lost === 0 && unexpected === 0 && verified === acked && problems.length === 0;
}

export function formatSummary(summary: LoadSummary): string {
  const lines = [
    `sent      ${formatCount(summary.messages)} messages in ${summary.seconds.toFixed(2)} s${summary.interrupted ? ", interrupted" : ""}`,
    `acked     ${formatCount(summary.acked)}   failed ${formatCount(summary.failed)}   ` +
      `forces ${formatCount(summary.forces)}   rolls ${formatCount(summary.rolls)}`,
    `rate      ${formatCount(summary.msgPerSec)} msg/s   ${summary.mbPerSec.toFixed(1)} MB/s of bodies`,
    `latency   ${formatLatency(summary.latencyUs)}`,
    ...consumptionLines(summary),
    ...replicationLines(summary),
    `recovery  ${summary.recoverySeconds.toFixed(2)} s   verification ${summary.verifySeconds.toFixed(2)} s`,
    `verified  ${formatCount(summary.verified)}   lost ${formatCount(summary.lost)}   unexpected ${formatCount(summary.unexpected)}`,
    ...summary.problems.map((problem) => `  ${problem}`),
  ];
  if (summary.firstFailure !== undefined) lines.push(`failure   ${summary.firstFailure}`);
  const good = summary.consumed === undefined ? "is there" : "is there, and was consumed once and in order";
  lines.push(isGood(summary) ? `Every acknowledged message ${good}.` : "FAILED");
  return lines.join("\n");
}

function replicationLines({ replication, unreplicated }: LoadSummary): string[] {
  if (replication === undefined) return [];
  const { slaves, cuts, comparedBytes, differences } = replication;
  const verdict = differences.length === 0 ? "each log is the master's, byte for byte" : "LOGS DIFFER";
  return [
    `slaves    ${slaves}   cut off ${cuts} times   answered without ${formatCount(unreplicated)}   ` +
      `compared ${formatCount(comparedBytes)} bytes: ${verdict}`,
  ];
}

function consumptionLines(summary: LoadSummary): string[] {
  const { consumed, e2eLatencyUs, duplicates = 0, outOfOrder = 0, foreign = 0, missing = 0, restartSeconds } = summary;
  if (consumed === undefined || e2eLatencyUs === undefined) return [];
  const counts = `duplicates ${formatCount(duplicates)}   out of order ${formatCount(outOfOrder)}   foreign ${formatCount(foreign)}`;
  return [
    `consumed  ${formatCount(consumed)}   ${counts}   missing ${formatCount(missing)}`,
    `e2e       ${formatLatency(e2eLatencyUs)}`,
    ...(restartSeconds === undefined ? [] : [`restart   ${restartSeconds.toFixed(2)} s`]),
  ];
}

function formatLatency({ p50, p90, p99, p999, max }: LatencyFigures): string {
  return [
    `p50 ${formatUs(p50)}`,
    `p90 ${formatUs(p90)}`,
    `p99 ${formatUs(p99)}`,
    `p99.9 ${formatUs(p999)}`,
    `max ${formatUs(max)}`,
  ].join("   ");
}

export function formatCount(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

export function formatUs(us: number): string {
  if (us < 1000) return `${us.toFixed(0)} us`;
  return us < 1e6 ? `${(us / 1e3).toFixed(2)} ms` : `${(us / 1e6).toFixed(2)} s`;
}
