import { openSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { type Message, MessageStore } from "@millrace/store";
import { type Random, seededRandom } from "../support/random.js";
import { firedCalls } from "./call-counts.js";
import { codeOf, type Finding, findingOf } from "./finding.js";
import type { LifeAnswer, LifeMark, LoadJob } from "./life-job.js";
import { PutLedger } from "./put-ledger.js";

const IN_FLIGHT = 16;
const QUEUES = 3;
const BODY_MAX = 900;
const GROUP = "load-group";
const FENCED_MS = 200;

/** Puts, reads, queries, commits offsets, and notes each error that is not one of ours. */
export async function loadLife(job: LoadJob, mark: (place: LifeMark) => void): Promise<LifeAnswer> {
  mark("opening");
  const findings: Finding[] = [];
  let store: MessageStore;
  try {
    if (job.unfence === true) MessageStore.clearFence(job.options.storePathRootDir as string);
    store = await MessageStore.open(job.options);
  } catch (error) {
    findings.push(findingOf(error, "open"));
    const code = codeOf(error);
    return code === undefined ? { findings } : { findings, refused: code };
  }
  mark("open");
  await new StoreLoad(store, job, mark, findings).run();
  const { state } = store.stats();
  mark("closing");
  await store.close().catch((error: unknown) => findings.push(findingOf(error, "close")));
  return { findings, state };
}

class StoreLoad {
  readonly #store: MessageStore;
  readonly #job: LoadJob;
  readonly #mark: (place: LifeMark) => void;
  readonly #findings: Finding[];
  readonly #random: Random;
  readonly #ledger: PutLedger;
  #isAcknowledged = false;
  #hasForceFailed = false;

  constructor(store: MessageStore, job: LoadJob, mark: (place: LifeMark) => void, findings: Finding[]) {
    this.#store = store;
    this.#job = job;
    this.#mark = mark;
    this.#findings = findings;
    this.#random = seededRandom(job.seed);
    this.#ledger = new PutLedger(openSync(job.ledger, "a"));
  }

  async run(): Promise<void> {
    const pending = new Set<Promise<void>>();
    for (let number = 0; number < this.#job.messages; number++) {
      await this.#watchForces();
      const put = this.#put(number).then(() => {
        pending.delete(put);
      });
      pending.add(put);
      if (pending.size >= IN_FLIGHT || this.#random(8) === 0) await Promise.race(pending);
      if (number % 20 === 19) await this.#look(number);
    }
    if (this.#random(3) > 0) await Promise.all(pending);
    await this.#answered("flush", () => this.#store.flush());
    if (this.#random(3) > 0) return;
    await Promise.all(pending);
  }

  #message(number: number): Message {
    const queueId = this.#random(QUEUES);
    const head = `life ${this.#job.life} number ${number};`;
    const body = Buffer.from(head.padEnd(head.length + this.#random(BODY_MAX), "y"));
    return { topic: "load", queueId, body, ...(number % 4 === 0 ? { keys: [`${this.#job.life}-${number}`] } : {}) };
  }

  async #put(number: number): Promise<void> {
    const message = this.#message(number);
    this.#ledger.sent(message);
    const hasFailed = this.#hasForceFailed;
    try {
      const result = await this.#store.putMessage(message);
      if (result.status !== "PUT_OK") return;
      this.#ledger.acknowledged(message, result);
      if (hasFailed)
        this.#findings.push({ verdict: "WRONG", what: `durable, says the store, after a force has failed: number=${number}` });
      if (!this.#isAcknowledged) this.#mark("acknowledged");
      this.#isAcknowledged = true;
    } catch (error) {
      this.#note(error, `put ${number}`);
    }
  }

  /** In SYNC_FLUSH nothing that is put after a failed force can be durable. The thread that met it has a moment to say so. */
  async #watchForces(): Promise<void> {
    const { calls, options } = this.#job;
    if (calls === undefined || options.flushDiskType !== "SYNC_FLUSH" || this.#hasForceFailed) return;
    if (!firedCalls(calls).isForceOfLog) return;
    await setTimeout(FENCED_MS);
    this.#hasForceFailed = true;
  }

  async #look(number: number): Promise<void> {
    await setImmediate();
    const queueId = this.#random(QUEUES);
    await this.#answered("consumerOffsets.commit", () => this.#store.consumerOffsets.commit(GROUP, "load", queueId, 1));
    if (number % 40 === 19) await this.#answered("consumerOffsets.persist", () => this.#store.consumerOffsets.persist());
    await this.#answered("queryMessage", () => this.#store.queryMessage({ topic: "load", key: `${this.#job.life}-0` }));
    await this.#answered("getMessage", () => {
      using found = this.#store.getMessage({ topic: "load", queueId, queueOffset: 0, maxMessages: 8 });
      return found.copyMessages().length;
    });
    if (this.#random(6) === 0) await this.#answered("deleteTopic", () => this.#store.deleteTopic("nothing"));
    await this.#answered("stats", () => this.#store.stats());
  }

  async #answered(what: string, ask: () => unknown): Promise<void> {
    try {
      await ask();
    } catch (error) {
      this.#note(error, what);
    }
  }

  #note(error: unknown, where: string): void {
    const finding = findingOf(error, where);
    if (finding.verdict !== "TOLD" || this.#findings.length < 20) this.#findings.push(finding);
  }
}
