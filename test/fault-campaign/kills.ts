import { join } from "node:path";
import type { Random } from "../support/random.js";
import { copyStore } from "./copied-store.js";
import { type CaseResult, caseRandom, type FaultCampaign, verdictOf } from "./fault-campaign.js";
import type { LifeKill, LifeOutcome } from "./life-process.js";
import { startOf } from "./load-start.js";
import { CAMPAIGN_OPTIONS, type Workshop } from "./workshop.js";

const LIVES = 3;
const MESSAGES = 300;

/** Lives that are killed while they open, run and close, one after another on one directory. */
export class Kills implements FaultCampaign {
  readonly name = "kills";
  readonly missing = undefined;
  readonly cases = Number.POSITIVE_INFINITY;
  readonly #workshop: Workshop;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  async run(seed: number, number: number): Promise<CaseResult> {
    const random = caseRandom(this.name, seed, number);
    const start = startOf(random);
    const source = start.ending === undefined ? undefined : await this.#workshop.source(start.ending);
    return await this.#workshop.inDirectory(async (directory) => {
      const root = join(directory, "store");
      if (source !== undefined) copyStore(source.root, root);
      const options = { ...CAMPAIGN_OPTIONS, ...start.mode, storePathRootDir: root };
      const outcomes: LifeOutcome[] = [];
      const story = [start.name];
      let before = source?.shown;
      let ledgers: string[] = [];
      for (let life = 0; life < LIVES; life++) {
        const ledger = join(directory, `ledger-${life}`);
        ledgers.push(ledger);
        const kill = killOf(random);
        const seedOfLife = random(2 ** 31);
        const outcome = await this.#workshop.inProcess((process) =>
          process.live({ kind: "load", options, seed: seedOfLife, life, messages: MESSAGES, ledger }, kill),
        );
        story.push(`${outcome.end} ${kill.delayMs} ms after ${kill.mark}`);
        outcomes.push(outcome);
        if (random(2) === 0 && life < LIVES - 1) continue;
        const job = this.#workshop.judgeJob(directory, { ...(before === undefined ? {} : { before }), ledgers });
        const judged = await this.#workshop.inProcess((process) => process.live(job));
        outcomes.push(judged);
        if (judged.end !== "answered" || judged.answer.refused !== undefined) break;
        if (judged.answer.isBehind === true) continue;
        before = job.after;
        ledgers = [];
      }
      const result = verdictOf(outcomes, { mayRefuse: false, isExcepted: false });
      return { ...result, kind: start.name, story: [...story, ...result.story] };
    });
  }
}

function killOf(random: Random): LifeKill {
  const kind = random(10);
  if (kind < 3) return { mark: "opening", delayMs: random(800) };
  if (kind < 4) return { mark: "open", delayMs: random(20) };
  if (kind < 8) return { mark: "acknowledged", delayMs: random(300) };
  return { mark: "closing", delayMs: random(60) };
}
