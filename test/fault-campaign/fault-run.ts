import { availableParallelism } from "node:os";
import type { CampaignTable } from "./campaign-table.js";
import type { FaultCampaign } from "./fault-campaign.js";

export interface CampaignRange {
  readonly from: number;
  /** Cases at most. */
  readonly count: number;
  readonly untilMs: number;
  /** Asked before each case. */
  readonly isEnough?: () => boolean;
}

/** Runs cases of one campaign, several at a time, until the time or the cases are over. */
export async function runCampaign(
  campaign: FaultCampaign,
  seed: number,
  range: CampaignRange,
  table: CampaignTable,
): Promise<void> {
  if (campaign.missing !== undefined) return table.skipped(campaign.name, campaign.missing);
  const end = Math.min(campaign.cases, range.from + range.count);
  let next = range.from;
  const work = async (): Promise<void> => {
    while (next < end && performance.now() < range.untilMs && range.isEnough?.() !== true) {
      const number = next++;
      table.add(campaign.name, seed, number, await campaign.run(seed, number));
    }
  };
  await Promise.all(Array.from({ length: Math.min(range.count, availableParallelism()) }, work));
}
