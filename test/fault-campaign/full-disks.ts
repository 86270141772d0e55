import { spawnSync } from "node:child_process";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KIB } from "../support/temporary-store.js";
import { copyStore } from "./copied-store.js";
import { type CaseResult, caseRandom, type FaultCampaign, verdictOf } from "./fault-campaign.js";
import type { LifeKill, LifeOutcome } from "./life-process.js";
import { startOf } from "./load-start.js";
import { CAMPAIGN_OPTIONS, type SourceStore, type Workshop } from "./workshop.js";

const MESSAGES = 700;
/** Beyond what a source store takes. */
const LEAST_ROOM = 24 * KIB;
const MOST_ROOM = 320 * KIB;
const SOURCE_ROOM = 640 * KIB;
const EXT4_SIZE = 4096 * KIB;
const LARGE = 64 * 1024 * KIB;

type Disk = "tmpfs" | "ext4";

/** A disk that runs full while a store is used, and is full when it is opened again. */
export class FullDisks implements FaultCampaign {
  readonly name = "disks";
  readonly missing: string | undefined;
  readonly cases = Number.POSITIVE_INFINITY;
  readonly #workshop: Workshop;
  readonly #disks: readonly Disk[];

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
    const isPossible = (disk: Disk): boolean => {
      const directory = join(workshop.directory, `probe-${disk}`);
      mkdirSync(directory, { recursive: true });
      if (!mount(disk, directory, EXT4_SIZE)) return false;
      return unmount(directory);
    };
    this.#disks = (["tmpfs", "ext4"] as const).filter(isPossible);
    this.missing = this.#disks.length === 0 ? "the right to mount a file system" : undefined;
  }

  async run(seed: number, number: number): Promise<CaseResult> {
    const random = caseRandom(this.name, seed, number);
    const start = startOf(random);
    const disk = this.#disks[random(this.#disks.length)] as Disk;
    const source = start.ending === undefined ? undefined : await this.#workshop.source(start.ending);
    const room = LEAST_ROOM + random(MOST_ROOM - LEAST_ROOM);
    const kill: LifeKill | undefined = random(2) === 0 ? undefined : { mark: "acknowledged", delayMs: random(1500) };
    return await this.#workshop.inDirectory(async (directory) => {
      const disc = join(directory, "disk");
      mkdirSync(disc);
      if (!mount(disk, disc, disk === "ext4" ? EXT4_SIZE : (source === undefined ? 0 : SOURCE_ROOM) + room))
        throw new Error(`no mount: disk=${disk}`);
      try {
        if (source !== undefined) copyStore(source.root, join(disc, "store"));
        if (disk === "ext4") leaveRoom(disc, room);
        const options = { ...CAMPAIGN_OPTIONS, ...start.mode, storePathRootDir: join(disc, "store") };
        const ledger = join(directory, "ledger");
        const load = await this.#workshop.inProcess((process) =>
          process.live({ kind: "load", options, seed: random(2 ** 31), life: 1, messages: MESSAGES, ledger }, kill),
        );
        const { full, roomy } = await this.#judge(directory, disc, disk, ledger, source);
        const result = worst(verdictOf([load], { mayRefuse: true, isExcepted: false }), full, roomy);
        return {
          ...result,
          kind: `${disk}, ${start.name}`,
          story: [`room=${room} ${kill === undefined ? "closed" : "killed"}`, ...result.story],
        };
      } finally {
        unmount(disc);
      }
    });
  }

  async #judge(
    directory: string,
    disc: string,
    disk: Disk,
    ledger: string,
    source: SourceStore | undefined,
  ): Promise<{ full: LifeOutcome; roomy: LifeOutcome[] }> {
    const options = { ...CAMPAIGN_OPTIONS, storePathRootDir: join(disc, "store") };
    const before = source === undefined ? {} : { before: source.shown };
    const first = this.#workshop.judgeJob(directory, { ...before, options, ledgers: [ledger], mayBeFenced: true });
    return await this.#workshop.inProcess(async (process) => {
      const full = await process.live(first);
      if (full.end !== "answered" || full.answer.refused !== undefined) return { full, roomy: [] };
      makeRoom(disk, disc);
      const known = full.answer.isBehind === true ? { ...before, ledgers: [ledger] } : { before: first.after };
      const second = this.#workshop.judgeJob(directory, { ...known, options, mayBeFenced: true });
      return { full, roomy: [await process.live(second)] };
    });
  }
}

function worst(load: Verdicts, full: LifeOutcome, roomy: readonly LifeOutcome[]): Verdicts {
  const opened = full.end !== "answered" || full.answer.refused === undefined;
  const judged = verdictOf([full], { mayRefuse: opened, isExcepted: false });
  const after = verdictOf(roomy, { mayRefuse: false, isExcepted: false });
  const all = [load, judged, after];
  const bad = all.find(({ verdict }) => verdict !== "right");
  const story = [["load", load] as const, ["full", judged] as const, ["roomy", after] as const].flatMap(
    ([name, { story: lines }]) => lines.map((line) => `${name} ${line}`),
  );
  return { verdict: bad?.verdict ?? "right", story, isRefused: judged.isRefused === true };
}

type Verdicts = ReturnType<typeof verdictOf>;

function mount(disk: Disk, directory: string, size: number): boolean {
  if (disk === "tmpfs") return run("mount", "-t", "tmpfs", "-o", `size=${Math.ceil(size / KIB)}k`, "millrace-faults", directory);
  const image = `${directory}.image`;
  writeFileSync(image, "");
  truncateSync(image, size);
  return run("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", image) && run("mount", "-o", "loop", image, directory);
}

function unmount(directory: string): boolean {
  return run("umount", directory) || run("umount", "-l", directory);
}

/** A file takes the rest of the disk. */
function leaveRoom(directory: string, room: number): void {
  const filler = join(directory, "filler");
  const page = Buffer.alloc(4 * KIB, 1);
  let length = 0;
  try {
    for (;;) {
      writeFileSync(filler, page, { flag: "a" });
      length += page.length;
    }
  } catch {
    truncateSync(filler, Math.max(0, length - room));
  }
}

function makeRoom(disk: Disk, directory: string): void {
  if (disk === "tmpfs") run("mount", "-o", `remount,size=${LARGE / KIB}k`, directory);
  else writeFileSync(join(directory, "filler"), "");
}

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
