import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join, relative } from "node:path";
import type { Random } from "../support/random.js";
import { changeSilently, copyStore, touchLock } from "./copied-store.js";
import { type CaseResult, caseRandom, drawnByName, type FaultCampaign, verdictOf } from "./fault-campaign.js";
import type { SourceEnding } from "./life-job.js";
import { fileKinds } from "./store-files.js";
import { CAMPAIGN_OPTIONS, type Workshop } from "./workshop.js";

const ENDINGS: readonly SourceEnding[] = ["closed", "closed", "killed", "killed", "fenced"];
/** One of so many flips hits what was never written; the others what was. */
const UNUSED_SHARE = 8;
/** One of so many stores is found as if somebody else had started in it. */
const TOUCHED_SHARE = 4;

/** One flipped bit in one file of a store. */
export class BitFlips implements FaultCampaign {
  readonly name = "flips";
  readonly missing = undefined;
  readonly cases = Number.POSITIVE_INFINITY;
  readonly #workshop: Workshop;
  readonly #isWanted: (kind: string) => boolean;

  /** @param isWanted which kinds of file, by their name in the table */
  constructor(workshop: Workshop, isWanted: (kind: string) => boolean = () => true) {
    this.#workshop = workshop;
    this.#isWanted = isWanted;
  }

  async run(seed: number, number: number): Promise<CaseResult> {
    const random = caseRandom(this.name, seed, number);
    const ending = ENDINGS[random(ENDINGS.length)] as SourceEnding;
    const source = await this.#workshop.source(ending);
    const kinds = [...fileKinds(source.root, CAMPAIGN_OPTIONS.mappedFileSizeCommitLog as number)];
    const wanted = kinds.filter(([kind]) => this.#isWanted(kind));
    const [kind, { paths, rules }] = drawnByName(wanted, ([name]) => name, random);
    const path = paths[random(paths.length)] as string;
    return await this.#workshop.inDirectory(async (directory) => {
      const root = join(directory, "store");
      copyStore(source.root, root);
      let flip = "";
      changeSilently(join(root, relative(source.root, path)), path, (copied) => {
        flip = flipBit(copied, random);
      });
      const isTouched = random(TOUCHED_SHARE) === 0;
      if (isTouched) touchLock(root);
      const outcomes = await this.#workshop.judgeTwice(source, directory, { areOffsetsExcepted: rules.isExcepted });
      const result = verdictOf(outcomes, rules);
      return {
        ...result,
        kind: `${kind}, ${ending}`,
        story: [`${relative(source.root, path)} ${flip}, touched=${isTouched}`, ...result.story],
      };
    });
  }
}

/** Returns what it did, in words. */
function flipBit(path: string, random: Random): string {
  const bytes = readFileSync(path);
  const last = bytes.findLastIndex((byte) => byte !== 0);
  const range = random(UNUSED_SHARE) === 0 || last === -1 ? bytes.length : last + 1;
  const position = random(range);
  const bit = random(8);
  const file = openSync(path, "r+");
  writeSync(file, Uint8Array.of((bytes[position] as number) ^ (1 << bit)), 0, 1, position);
  closeSync(file);
  return `byte=${position} bit=${bit} of ${bytes.length}`;
}
