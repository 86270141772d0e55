import { BitFlips } from "./bit-flips.js";
import { compileShim } from "./call-shim.js";
import { FailingCalls } from "./failing-calls.js";
import type { FaultCampaign } from "./fault-campaign.js";
import { FullDisks } from "./full-disks.js";
import { HostileDirectories } from "./hostile-directories.js";
import { Kills } from "./kills.js";
import { PowerFailures } from "./power-failures.js";
import type { Workshop } from "./workshop.js";

/** @param isWanted which kinds of case, by their names in the table; all campaigns know some of their kinds only when they have run */
export function campaignsOf(workshop: Workshop, isWanted: (kind: string) => boolean = () => true): FaultCampaign[] {
  const shim = compileShim(workshop.directory);
  return [
    new BitFlips(workshop, isWanted),
    new HostileDirectories(workshop, isWanted),
    new FailingCalls(workshop, shim, isWanted),
    new FullDisks(workshop),
    new Kills(workshop),
    new PowerFailures(workshop, shim),
  ];
}
