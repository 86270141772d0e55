import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import type { Random } from "../support/random.js";
import { CALLS, type Call, callCount, firedCalls, makeCallCounts, PATH_KINDS } from "./call-counts.js";
import { type CallPlan, type CallShim, shimEnvironment } from "./call-shim.js";
import { copyStore } from "./copied-store.js";
import { type CaseResult, caseRandom, drawnByName, type FaultCampaign, verdictOf } from "./fault-campaign.js";
import { type LifeOutcome, LifeProcess, withEnvironment } from "./life-process.js";
import { type LoadStart, startOf } from "./load-start.js";
import { CAMPAIGN_OPTIONS, type SourceStore, type Workshop } from "./workshop.js";

const { EIO, ENOSPC, EMFILE, EACCES, EINTR, EDQUOT, ENOMEM, EBUSY, ENOLCK } = constants.errno;
const SHORT = 0;
const MESSAGES = 90;
const FOR_EVER = 0x7fffffff;

/** What the system may say to each call. */
const ERRORS: Readonly<Record<Call, readonly number[]>> = {
  open: [EMFILE, EIO, ENOSPC, EACCES],
  read: [EIO, SHORT],
  write: [EIO, ENOSPC, EDQUOT, SHORT, EINTR],
  fsync: [EIO, EIO, ENOSPC, EINTR],
  fdatasync: [EIO, EIO, ENOSPC, EINTR],
  msync: [EIO],
  ftruncate: [EIO, ENOSPC, EINTR],
  fallocate: [EIO, ENOSPC],
  mmap: [ENOMEM, EMFILE],
  unlink: [EIO, EBUSY, EACCES],
  rmdir: [EIO, EBUSY],
  rename: [EIO, ENOSPC],
  mkdir: [EIO, ENOSPC],
  scandir: [EIO, EMFILE],
  lock: [ENOLCK, EIO],
  stat: [EIO, EACCES],
  statfs: [EIO],
};

/** One call of the system, or some, that fail while a store is opened, used and closed. */
export class FailingCalls implements FaultCampaign {
  readonly name = "calls";
  readonly cases = Number.POSITIVE_INFINITY;
  readonly #workshop: Workshop;
  readonly #shim: CallShim;
  readonly #isWanted: (call: string) => boolean;
  /** Counts of a life in which nothing fails, by where it starts. */
  readonly #counts = new Map<string, Promise<string>>();

  constructor(workshop: Workshop, shim: CallShim, isWanted: (call: string) => boolean = () => true) {
    this.#workshop = workshop;
    this.#shim = shim;
    this.#isWanted = isWanted;
  }

  get missing(): string | undefined {
    return "missing" in this.#shim ? this.#shim.missing : undefined;
  }

  async run(seed: number, number: number): Promise<CaseResult> {
    const random = caseRandom(this.name, seed, number);
    const start = startOf(random);
    const plan = planOf(await this.#countsOf(start), random, this.#isWanted);
    const source = start.ending === undefined ? undefined : await this.#workshop.source(start.ending);
    return await this.#workshop.inDirectory(async (directory) => {
      const counts = join(directory, "counts");
      const load = await this.#load(directory, start, random(2 ** 31), source, counts, plan);
      const fired = firedCalls(counts);
      const judges = await this.#judge(directory, source);
      const [first] = judges;
      const isForgotten =
        fired.isForceOfLog && plan.errno === EIO && first?.end === "answered" && (first.answer.state ?? "fenced") !== "fenced";
      const result = worstOf(verdictOf([load], { mayRefuse: true, isExcepted: false }), judges);
      const words = `${plan.call} of ${plan.kind}, from number ${plan.first} on ${plan.times} times: errno=${plan.errno}`;
      const story = [`${start.name}: ${words}${fired.hasFired ? "" : " (not met)"}`, ...result.story];
      const kind = `${plan.call}, ${plan.kind}`;
      if (isForgotten && result.verdict === "right")
        return { ...result, kind, verdict: "WRONG", story: [...story, "a failed force of the log is forgotten"] };
      return { ...result, kind, story };
    });
  }

  #countsOf(start: LoadStart): Promise<string> {
    const known = this.#counts.get(start.name) ?? this.#countCalls(start);
    this.#counts.set(start.name, known);
    return known;
  }

  async #countCalls(start: LoadStart): Promise<string> {
    const directory = join(this.#workshop.directory, `counts-${start.name.replaceAll(" ", "-")}`);
    mkdirSync(directory);
    const counts = join(directory, "counts");
    const source = start.ending === undefined ? undefined : await this.#workshop.source(start.ending);
    const outcome = await this.#load(directory, start, 1, source, counts);
    if (outcome.end !== "answered" || outcome.answer.findings.length > 0)
      throw new Error(`a life under the shim in which nothing fails is not right: ${JSON.stringify(outcome)}`);
    return counts;
  }

  async #load(
    directory: string,
    start: LoadStart,
    seed: number,
    source: SourceStore | undefined,
    counts: string,
    plan?: CallPlan,
  ): Promise<LifeOutcome> {
    const root = join(directory, "store");
    if (source !== undefined) copyStore(source.root, root);
    makeCallCounts(counts);
    const { library } = this.#shim as { readonly library: string };
    await using process = new LifeProcess(
      withEnvironment(this.#workshop.environment, shimEnvironment(library, root, counts, plan)),
    );
    const options: MessageStoreOptions = { ...CAMPAIGN_OPTIONS, ...start.mode, storePathRootDir: root };
    const ledger = join(directory, "ledger");
    return await process.live({ kind: "load", options, seed, life: 1, messages: MESSAGES, ledger, calls: counts });
  }

  /** Nothing fails any more: everything that was acknowledged is there, and an operator can end the fence. */
  async #judge(directory: string, source: SourceStore | undefined): Promise<LifeOutcome[]> {
    const before = source === undefined ? {} : { before: source.shown };
    const job = this.#workshop.judgeJob(directory, { ...before, ledgers: [join(directory, "ledger")], mayBeFenced: true });
    return await this.#workshop.inProcess(async (process) => {
      const first = await process.live(job);
      if (first.end !== "answered" || first.answer.state !== "fenced") return [first];
      MessageStore.clearFence(join(directory, "store"));
      return [first, await process.live(this.#workshop.judgeJob(directory, { before: job.after, mayBeFenced: true }))];
    });
  }
}

function planOf(counts: string, random: Random, isWanted: (call: string) => boolean): CallPlan {
  const met = CALLS.flatMap((call) => PATH_KINDS.map((kind) => ({ call, kind, count: callCount(counts, call, kind) }))).filter(
    ({ call, kind, count }) => count > 0 && isWanted(`${call}, ${kind}`),
  );
  const { call, kind, count } = drawnByName(met, (one) => `${one.call} ${one.kind}`, random);
  const errors = ERRORS[call];
  const errno = errors[random(errors.length)] as number;
  const isPassing = errno === EINTR || errno === SHORT || random(3) > 0;
  return { call, kind, first: random(count), times: isPassing ? 1 + random(2) : FOR_EVER, errno };
}

function worstOf(load: ReturnType<typeof verdictOf>, judges: readonly LifeOutcome[]): ReturnType<typeof verdictOf> {
  const judged = verdictOf(judges, { mayRefuse: false, isExcepted: false });
  const story = [...load.story.map((line) => `load ${line}`), ...judged.story.map((line) => `then ${line}`)];
  return { verdict: load.verdict === "right" ? judged.verdict : load.verdict, isRefused: load.isRefused === true, story };
}
