/** `npm run test:faults`: campaigns of damage, hostile directories, failing calls, full disks and kills. */
import { parseArgs } from "node:util";
import { BitFlips } from "./bit-flips.js";
import { compileShim } from "./call-shim.js";
import { CampaignTable } from "./campaign-table.js";
import { FailingCalls } from "./failing-calls.js";
import type { FaultCampaign } from "./fault-campaign.js";
import { runCampaign } from "./fault-run.js";
import { FullDisks } from "./full-disks.js";
import { HostileDirectories } from "./hostile-directories.js";
import { Kills } from "./kills.js";
import { PowerFailures } from "./power-failures.js";
import { Workshop } from "./workshop.js";

const USAGE = "npm run test:faults -- [--minutes M] [--seed S] [--campaign NAME] [--case N] [--controls]";
const MINUTE_MS = 60_000;

function fail(reason: string): never {
  process.stderr.write(`${reason}\n${USAGE}\n`);
  process.exit(2);
}

function numberOf(name: string, text: string | undefined, standard: number): number {
  if (text === undefined) return standard;
  if (!/^\d{1,9}(\.\d+)?$/.test(text)) fail(`a number is needed: --${name} ${text}`);
  return Number(text);
}

const option = { type: "string" } as const;
const { values } = parseArgs({ options: { minutes: option, seed: option, campaign: option, case: option, kind: option } });
const minutes = numberOf("minutes", values.minutes, 5);
const seed = numberOf("seed", values.seed, Math.floor(Math.random() * 2 ** 31));
const table = new CampaignTable((lines) => process.stdout.write(`${lines}\n`));
process.stdout.write(`seed=${seed}\n`);
await using workshop = new Workshop(seed);
const shim = compileShim(workshop.directory);
const isWanted = (kind: string): boolean => kind.includes(values.kind ?? "");
const all: FaultCampaign[] = [
  new BitFlips(workshop, isWanted),
  new HostileDirectories(workshop, isWanted),
  new FailingCalls(workshop, shim, isWanted),
  new FullDisks(workshop),
  new Kills(workshop),
  new PowerFailures(workshop, shim),
];
const chosen = all.filter(({ name }) => values.campaign === undefined || name === values.campaign);
for (const campaign of chosen) {
  const one = values.case === undefined ? { from: 0, count: Number.POSITIVE_INFINITY } : { from: Number(values.case), count: 1 };
  const untilMs = performance.now() + (minutes * MINUTE_MS) / chosen.length;
  await runCampaign(campaign, seed, { ...one, untilMs }, table);
}
process.stdout.write(`${table.text()}\n`);
process.exitCode = table.bad > 0 ? 1 : 0;
