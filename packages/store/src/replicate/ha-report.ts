import type { HaStats } from "@millrace/stats";

/** What travels from the service that replicates to main, beside its events: how it stands; on a slave a queue that needs a slot. */
export type HaReport = { readonly ha: HaStats } | { readonly queue: { readonly topic: string; readonly queueId: number } };

export function isHaReport(report: unknown): report is HaReport {
  return typeof report === "object" && report !== null && ("ha" in report || "queue" in report);
}
