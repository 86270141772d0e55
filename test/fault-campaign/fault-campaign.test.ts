import test from "ava";
import { testIf } from "../support/test-if.js";
import { CampaignTable } from "./campaign-table.js";
import { campaignsOf } from "./campaigns.js";
import { CONTROLS } from "./control-edits.js";
import { controlEnvironment } from "./control-environment.js";
import type { FaultCampaign } from "./fault-campaign.js";
import { runCampaign } from "./fault-run.js";
import { Workshop } from "./workshop.js";

const SEED = 1;
/** Of a control: most of its cases are noticed. */
const CONTROL_CASES = 12;
const TIMEOUT_MS = 300_000;

/** One case each; `npm run test:faults` runs many. */
const SMOKE: readonly (readonly [campaign: string, kind: string])[] = [
  ["flips", "commit log"],
  ["flips", "ConsumeQueue"],
  ["directories", "commit log"],
  ["calls", "commitlog"],
  ["disks", ""],
  ["kills", ""],
  ["power", ""],
];

interface Ran {
  readonly table: CampaignTable;
  readonly bad: readonly string[];
}

const plain = new Workshop(SEED);
test.after.always(() => plain[Symbol.asyncDispose]());

async function ran(name: string, kind: string, count: number, workshop = plain): Promise<Ran> {
  const bad: string[] = [];
  const table = new CampaignTable((lines) => bad.push(lines), kind);
  const campaign = campaignsOf(workshop, (candidate) => candidate.includes(kind)).find((one) => one.name === name);
  const range = { from: 0, count, untilMs: Number.POSITIVE_INFINITY, isEnough: () => bad.length > 0 };
  await runCampaign(campaign as FaultCampaign, SEED, range, table);
  return { table, bad };
}

const missing = new Map(campaignsOf(plain).map((campaign) => [campaign.name, campaign.missing]));

for (const [name, kind] of SMOKE) {
  const register = testIf(missing.get(name) === undefined, missing.get(name) ?? "");
  register(`a case of the campaign ${name} ends right${kind === "" ? "" : `: ${kind}`}`, async (t) => {
    t.timeout(TIMEOUT_MS);
    const { table, bad } = await ran(name, kind, 1);
    t.deepEqual(bad, []);
    t.log(table.text());
  });
}

test.serial("a campaign notices when a check of the store is taken out", async (t) => {
  t.timeout(TIMEOUT_MS);
  const name = "CRC check off";
  const { campaign, kind } = CONTROLS[name] as (typeof CONTROLS)[string];
  await using controlled = plain.under(controlEnvironment(name));
  const { bad } = await ran(campaign, kind, CONTROL_CASES, controlled);
  t.true(bad.length > 0);
});
