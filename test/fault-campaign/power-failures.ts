import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { MessageStoreOptions } from "@millrace/store";
import { makeCallCounts } from "./call-counts.js";
import { type CallPlan, type CallShim, shimEnvironment } from "./call-shim.js";
import { copyStore } from "./copied-store.js";
import { type CaseResult, caseRandom, type FaultCampaign, verdictOf } from "./fault-campaign.js";
import { KeptDisk } from "./kept-disk.js";
import type { LoadJob } from "./life-job.js";
import { type LifeKill, type LifeOutcome, LifeProcess, withEnvironment } from "./life-process.js";
import { startOf } from "./load-start.js";
import { CAMPAIGN_OPTIONS, type Workshop } from "./workshop.js";

const MESSAGES = 80;
/** A life with as many messages forces the log about as often. */
const FORCES = 60;
const LIVES_MAX = 3;

/**
 * A power failure after some lives, most of them killed: the next life finds what was forced, and some of what was not. In half of the
 * cases a force of the log has failed before, which the kernel reports once and then calls the pages clean, and an operator has ended
 * the fence.
 */
export class PowerFailures implements FaultCampaign {
  readonly name = "power";
  readonly missing: string | undefined;
  readonly cases = Number.POSITIVE_INFINITY;
  readonly #workshop: Workshop;
  readonly #shim: CallShim;

  constructor(workshop: Workshop, shim: CallShim) {
    this.#workshop = workshop;
    this.#shim = shim;
    this.missing = "missing" in shim ? shim.missing : workshop.isInMemory ? undefined : "a file system in memory, at /dev/shm";
  }

  async run(seed: number, number: number): Promise<CaseResult> {
    const random = caseRandom(this.name, seed, number);
    const start = startOf(random);
    const isSync = start.mode.flushDiskType === "SYNC_FLUSH";
    const source = start.ending === undefined ? undefined : await this.#workshop.source(start.ending);
    const plan = random(2) === 0 ? undefined : failedForce(random(FORCES));
    return await this.#workshop.inDirectory(async (directory) => {
      const [root, left] = [join(directory, "store"), join(directory, "left")];
      mkdirSync(root);
      if (source !== undefined) copyStore(source.root, root);
      const disk = new KeptDisk(join(directory, "disk"), root);
      const ledgers: string[] = [];
      const lives: LifeOutcome[] = [];
      const story = [`${start.name}: ${plan === undefined ? "no force fails" : `force ${plan.first} of the log fails`}`];
      const count = plan === undefined ? 1 + random(LIVES_MAX) : 2;
      for (let life = 0; life < count; life++) {
        const ledger = join(directory, `ledger-${life}`);
        ledgers.push(ledger);
        const options = { ...CAMPAIGN_OPTIONS, ...start.mode, storePathRootDir: root };
        const job: LoadJob = { kind: "load", options, seed: random(2 ** 31), life, messages: MESSAGES, ledger, unfence: life > 0 };
        const kill: LifeKill | undefined = random(3) === 0 ? undefined : { mark: "acknowledged", delayMs: random(400) };
        lives.push(await this.#live(directory, disk, job, kill, life === 0 ? plan : undefined));
        story.push(`life ${life}: ${lives.at(-1)?.end}`);
      }
      disk.fail(root, join(left, "store"), random);
      const judged = await this.#judge(left, isSync ? ledgers : [], isSync ? [] : ledgers, source?.shown);
      const before = verdictOf(lives, { mayRefuse: true, isExcepted: false });
      const after = verdictOf([judged], { mayRefuse: false, isExcepted: false });
      const { verdict } = before.verdict === "right" ? after : before;
      const isRefused = after.isRefused === true;
      return {
        kind: start.name,
        verdict,
        isRefused,
        story: [...story, ...before.story, ...after.story.map((line) => `then ${line}`)],
      };
    });
  }

  async #live(directory: string, disk: KeptDisk, job: LoadJob, kill?: LifeKill, plan?: CallPlan): Promise<LifeOutcome> {
    const counts = join(directory, "counts");
    makeCallCounts(counts);
    const { library } = this.#shim as { readonly library: string };
    const shim = shimEnvironment(library, job.options.storePathRootDir as string, counts, plan);
    const withDisk = withEnvironment(shim, { env: { MILLRACE_FAULT_DISK: disk.directory } });
    await using process = new LifeProcess(withEnvironment(this.#workshop.environment, withDisk));
    return await process.live(job, kill);
  }

  async #judge(left: string, ledgers: string[], sent: string[], before: string | undefined): Promise<LifeOutcome> {
    const options: MessageStoreOptions = { ...CAMPAIGN_OPTIONS, storePathRootDir: join(left, "store") };
    const known = before === undefined ? {} : { before };
    const job = this.#workshop.judgeJob(left, { ...known, options, ledgers, sentOnly: sent, mayBeFenced: true });
    return await this.#workshop.inProcess((process) => process.live(job));
  }
}

function failedForce(first: number): CallPlan {
  return { call: "fdatasync", kind: "commitlog", first, times: 1, errno: constants.errno.EIO };
}
