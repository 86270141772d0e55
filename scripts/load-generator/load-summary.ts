import type { LatencySnapshot } from "@millrace/shared-memory";
import type { LoadOptions } from "./load-options.js";
import type { Verification } from "./log-verifier.js";

/** What a run came to: printed for people, and with `--json` as one object. */
export interface LoadSummary {
  /** Sent. */
  readonly messages: number;
  readonly acked: number;
  readonly failed: number;
  /** From the first put to the last acknowledgement. */
  readonly seconds: number;
  /** Acknowledged. */
  readonly msgPerSec: number;
  /** 10^6 bytes of acknowledged bodies. */
  readonly mbPerSec: number;
  readonly latencyUs: Pick<LatencySnapshot, "p50" | "p90" | "p99" | "p999" | "max">;
  readonly verified: number;
  readonly lost: number;
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
  readonly failed: number;
  readonly firstFailure: string | undefined;
  readonly seconds: number;
  readonly latencyUs: LatencySnapshot;
  readonly forces: number;
  readonly rolls: number;
  readonly interrupted: boolean;
}

export function summarize(
  options: LoadOptions,
  figures: LoadFigures,
  verification: Verification,
  recoverySeconds: number,
  verifySeconds: number,
): LoadSummary {
  const { firstFailure, latencyUs, ...rest } = figures;
  const { p50, p90, p99, p999, max } = latencyUs;
  const msgPerSec = figures.seconds === 0 ? 0 : figures.acked / figures.seconds;
  return {
    ...rest,
    msgPerSec,
    mbPerSec: (msgPerSec * options.messageSize) / 1e6,
    latencyUs: { p50, p90, p99, p999, max },
    verified: verification.verified,
    lost: verification.lost,
    problems: verification.problems,
    ...(firstFailure === undefined ? {} : { firstFailure }),
    recoverySeconds,
    verifySeconds,
    options,
  };
}

export function isGood(summary: LoadSummary): boolean {
  return summary.failed === 0 && summary.lost === 0 && summary.verified === summary.acked;
}

export function formatSummary(summary: LoadSummary): string {
  const { latencyUs: us } = summary;
  const latency = [
    `p50 ${formatUs(us.p50)}`,
    `p90 ${formatUs(us.p90)}`,
    `p99 ${formatUs(us.p99)}`,
    `p99.9 ${formatUs(us.p999)}`,
    `max ${formatUs(us.max)}`,
  ];
  const lines = [
    `sent      ${formatCount(summary.messages)} messages in ${summary.seconds.toFixed(2)} s${summary.interrupted ? ", interrupted" : ""}`,
    `acked     ${formatCount(summary.acked)}   failed ${formatCount(summary.failed)}   forces ${formatCount(summary.forces)}   rolls ${formatCount(summary.rolls)}`,
    `rate      ${formatCount(summary.msgPerSec)} msg/s   ${summary.mbPerSec.toFixed(1)} MB/s of bodies`,
    `latency   ${latency.join("   ")}`,
    `recovery  ${summary.recoverySeconds.toFixed(2)} s   verification ${summary.verifySeconds.toFixed(2)} s`,
    `verified  ${formatCount(summary.verified)}   lost ${formatCount(summary.lost)}`,
    ...summary.problems.map((problem) => `  ${problem}`),
  ];
  if (summary.firstFailure !== undefined) lines.push(`failure   ${summary.firstFailure}`);
  lines.push(isGood(summary) ? "Every acknowledged message is there." : "FAILED");
  return lines.join("\n");
}

export function formatCount(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

export function formatUs(us: number): string {
  if (us < 1000) return `${us.toFixed(0)} us`;
  return us < 1e6 ? `${(us / 1e3).toFixed(2)} ms` : `${(us / 1e6).toFixed(2)} s`;
}
