/** `npm run test:faults`: campaigns of flipped bits, hostile directories, failing calls, full disks, kills and power failures. */
import { parseArgs } from "node:util";
import { CampaignTable } from "./campaign-table.js";
import { campaignsOf } from "./campaigns.js";
import { CONTROLS } from "./control-edits.js";
import { controlEnvironment } from "./control-environment.js";
import { runCampaign } from "./fault-run.js";
import { Workshop } from "./workshop.js";

const USAGE =
  "npm run test:faults -- [--minutes M] [--seed S] [--campaign flips|directories|calls|disks|kills|power] [--kind TEXT] " +
  "[--case N] [--controls]";
const MINUTE_MS = 60_000;
const CONTROL_MINUTES = 10;

function fail(reason: string): never {
  process.stderr.write(`${reason}\n${USAGE}\n`);
  process.exit(2);
}

function numberOf(name: string, text: string | undefined, standard: number): number {
  if (text === undefined) return standard;
  return /^\d{1,10}(\.\d+)?$/.test(text) ? Number(text) : fail(`a number is needed: --${name} ${text}`);
}

interface Choice {
  readonly minutes: number;
  readonly seed: number;
  readonly campaign?: string;
  /** Part of the name that a kind of case has in the table. */
  readonly kind: string;
  /** Of the only case. */
  readonly number?: number;
  readonly areControls: boolean;
}

function parsed(): Choice {
  const option = { type: "string" } as const;
  const options = {
    minutes: option,
    seed: option,
    campaign: option,
    case: option,
    kind: option,
    controls: { type: "boolean" } as const,
  };
  const { minutes, seed, campaign, case: one, kind = "", controls = false } = parseArgs({ options }).values;
  return {
    minutes: numberOf("minutes", minutes, 5),
    seed: numberOf("seed", seed, Math.floor(Math.random() * 2 ** 31)),
    ...(campaign === undefined ? {} : { campaign }),
    ...(one === undefined ? {} : { number: numberOf("case", one, 0) }),
    kind,
    areControls: controls,
  };
}

function show(lines: string): void {
  process.stdout.write(`${lines}\n`);
}

let choice: Choice | undefined;
try {
  choice = parsed();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}

/** Whether all cases were right. */
async function runCampaigns({ minutes, seed, campaign, kind, number }: Choice): Promise<boolean> {
  await using workshop = new Workshop(seed);
  const campaigns = campaignsOf(workshop, (candidate) => candidate.includes(kind)).filter(
    ({ name }) => name === (campaign ?? name),
  );
  if (campaigns.length === 0) fail(`there is no such campaign: --campaign ${campaign}`);
  const table = new CampaignTable(show, kind);
  for (const one of campaigns) {
    const cases = number === undefined ? { from: 0, count: Number.POSITIVE_INFINITY } : { from: number, count: 1 };
    await runCampaign(one, seed, { ...cases, untilMs: performance.now() + (minutes * MINUTE_MS) / campaigns.length }, table);
  }
  show(table.text());
  return table.bad === 0;
}

/** Whether each campaign notices when a check of the store is taken out. */
async function runControls({ seed, campaign }: Choice): Promise<boolean> {
  let areNoticed = true;
  await using plain = new Workshop(seed);
  for (const [name, control] of Object.entries(CONTROLS)) {
    if (campaign !== undefined && control.campaign !== campaign) continue;
    await using workshop = plain.under(controlEnvironment(name));
    const [one] = campaignsOf(workshop, (kind) => kind.includes(control.kind)).filter(({ name: own }) => own === control.campaign);
    if (one === undefined) throw new RangeError(`a control has no campaign: ${name}`);
    const noticed: string[] = [];
    const table = new CampaignTable((lines) => noticed.push(lines), control.kind);
    const untilMs = performance.now() + CONTROL_MINUTES * MINUTE_MS;
    await runCampaign(one, seed, { from: 0, count: Number.POSITIVE_INFINITY, untilMs, isEnough: () => noticed.length > 0 }, table);
    const isMissing = one.missing !== undefined;
    areNoticed &&= isMissing || noticed.length > 0;
    const outcome = isMissing ? `skipped, ${one.missing}` : noticed.length > 0 ? "noticed" : `NOT NOTICED in ${table.cases} cases`;
    show([`${name}: ${outcome}`, ...noticed.slice(0, 1)].join("\n"));
  }
  return areNoticed;
}

show(`seed=${choice.seed}`);
process.exitCode = (await (choice.areControls ? runControls(choice) : runCampaigns(choice))) ? 0 : 1;
