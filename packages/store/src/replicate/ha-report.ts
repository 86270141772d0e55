import type { HaStats } from "@millrace/stats";

/** What travels from the service that replicates to main, beside its events. */
export interface HaReport {
  readonly ha: HaStats;
}

export function isHaReport(report: unknown): report is HaReport {
  return typeof report === "object" && report !== null && "ha" in report;
}
