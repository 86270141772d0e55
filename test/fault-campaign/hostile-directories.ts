import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { copyStore, touchLock } from "./copied-store.js";
import { type CaseResult, caseRandom, drawnByName, type FaultCampaign, verdictOf } from "./fault-campaign.js";
import { HOSTILE_THINGS, type HostileThing, putThing, type ThingMade } from "./hostile-thing.js";
import type { SourceEnding } from "./life-job.js";
import { fileKinds } from "./store-files.js";
import { CAMPAIGN_OPTIONS, type Workshop } from "./workshop.js";

const ENDINGS: readonly SourceEnding[] = ["closed", "killed"];
/** One of so many stores is found as if somebody else had started in it. */
const TOUCHED_SHARE = 4;

interface HostilePlace {
  /** The same in each run. */
  readonly name: string;
  readonly kind: string;
  /** Relative to the root. */
  readonly path: string;
  readonly canBeMadeAgain: boolean;
  readonly isExcepted: boolean;
}

/** Names that a store makes when it needs them, or should not mind. */
const ABSENT: readonly string[] = [
  "commitlog.new",
  "commitlog.millrace.new",
  "consumequeue.new",
  "index.new",
  "abort",
  "abort.bak",
  "millrace.fence",
  "millrace.fence.tmp",
  "millrace.dispatched.tmp",
  "config/consumerOffset.json.tmp",
  "config/delayOffset.json.tmp",
  "commitlog/stranger",
  "consumequeue/stranger",
  "index/stranger",
];

/** Something in the place of a file or directory of a store that is not what belongs there. */
export class HostileDirectories implements FaultCampaign {
  readonly name = "directories";
  readonly missing = undefined;
  readonly cases = Number.POSITIVE_INFINITY;
  readonly #workshop: Workshop;
  readonly #isWanted: (kind: string) => boolean;

  /** @param isWanted which combinations, by their name in the table */
  constructor(workshop: Workshop, isWanted: (kind: string) => boolean = () => true) {
    this.#workshop = workshop;
    this.#isWanted = isWanted;
  }

  async run(seed: number, number: number): Promise<CaseResult> {
    const random = caseRandom(this.name, seed, number);
    const ending = ENDINGS[random(ENDINGS.length)] as SourceEnding;
    const source = await this.#workshop.source(ending);
    const combinations = hostilePlaces(source.root)
      .flatMap((place) => HOSTILE_THINGS.map((thing) => ({ place, thing })))
      .filter(({ place, thing }) => isSensible(source.root, place, thing) && this.#isWanted(`${place.kind}, ${thing}`));
    const { place, thing } = drawnByName(combinations, (one) => `${one.place.name} ${one.thing}`, random);
    return await this.#workshop.inDirectory(async (directory) => {
      const root = join(directory, "store");
      copyStore(source.root, root);
      const isTouched = random(TOUCHED_SHARE) === 0;
      if (isTouched) touchLock(root);
      await using made = await putThing(join(root, place.path), thing, join(directory, "outside"));
      const outcomes = await this.#workshop.judgeTwice(source, directory, {
        areOffsetsExcepted: place.isExcepted,
        // A fence that cannot be understood is a fence.
        mayBeFenced: place.path.includes("fence"),
      });
      const mayRefuse = !place.canBeMadeAgain || (thing !== "missing" && thing !== "other bytes");
      const result = verdictOf(outcomes, { mayRefuse, isExcepted: place.isExcepted });
      const story = [`${place.path}: ${thing}, touched=${isTouched}`, ...result.story];
      return { ...result, kind: place.kind, story, ...outsideVerdict(made, story) };
    });
  }
}

function outsideVerdict(made: ThingMade, story: readonly string[]): Partial<CaseResult> {
  return made.isOutsideTouched() ? { verdict: "WRONG", story: [...story, "what does not belong to the store was changed"] } : {};
}

/** First, middle and last of each kind of file, the directories above them, and what is not there. */
function hostilePlaces(root: string): HostilePlace[] {
  const places = new Map<string, HostilePlace>();
  const add = (place: HostilePlace): void => {
    if (!places.has(place.path)) places.set(place.path, place);
  };
  for (const [kind, { paths, rules }] of fileKinds(root, CAMPAIGN_OPTIONS.mappedFileSizeCommitLog as number)) {
    for (const [where, at] of Object.entries({ first: paths[0], middle: paths[paths.length >> 1], last: paths.at(-1) })) {
      const path = relative(root, at as string);
      const isOurJson = path.startsWith("config/millrace.");
      add({
        name: `${where} ${kind}`,
        kind,
        path,
        canBeMadeAgain: !rules.mayRefuse && !isOurJson,
        isExcepted: rules.isExcepted || isOurJson,
      });
    }
  }
  for (const { path, canBeMadeAgain } of [...places.values()]) {
    for (let at = dirname(path); at !== "."; at = dirname(at)) {
      add({ name: at, kind: `directory ${at.split("/")[0]}`, path: at, canBeMadeAgain, isExcepted: at === "config" });
    }
  }
  for (const path of ABSENT) {
    const parent = join(root, dirname(path));
    if (existsSync(parent) && !places.has(path))
      add({ name: path, kind: "what is not there", path, canBeMadeAgain: false, isExcepted: false });
  }
  return [...places.values()];
}

/** Directories have no length, and what is not there cannot go. An empty file stays what it is. */
function isSensible(root: string, { path }: HostilePlace, thing: HostileThing): boolean {
  const full = join(root, path);
  const stats = existsSync(full) ? statSync(full) : undefined;
  if (["half as long", "a byte longer", "other bytes", "link to somebody's copy of it"].includes(thing))
    return stats?.isFile() === true;
  if (thing === "directory") return stats?.isDirectory() !== true || readdirSync(full).length > 0;
  if (thing === "missing") return stats !== undefined;
  return thing !== "empty" || stats?.isFile() !== true || readFileSync(full).length > 0;
}
