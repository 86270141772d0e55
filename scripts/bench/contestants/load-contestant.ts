import type { LatencyHistogram } from "@millrace/shared-memory";
import { LoadDriver, type LoadPlan } from "../../load-generator/load-driver.js";
import { type LoadSample, LoadSampler } from "../../load-generator/load-sampler.js";
import { MessageContent } from "../../load-generator/message-content.js";
import { UNPACED } from "../../load-generator/pace.js";
import type { BenchTarget, Contestant } from "./contestant.js";
import type { Workload } from "./workload.js";

/**
 * What the load generator sends here: one topic of four queues, no tags, no keys.
 *
 * @param batchSize messages of a unit
 * @param keyed a key and a tag in each message
 */
export function benchContent(messageSize: number, batchSize = 1, keyed = false): MessageContent {
  const lanes = { topic: "BenchmarkTest", topics: 1, queues: 4 };
  return new MessageContent({ ...lanes, tags: keyed ? 1 : 0, keyEnable: keyed, messageSize, batchSize });
}

/**
 * How acknowledgements come: a promise for each message, or one for all that are in flight. The driver is the load generator's for
 * both, and makes each message.
 */
export type Acknowledgement = "each" | "group";

/** The load generator's driver on a target. */
export class LoadContestant implements Contestant {
  readonly #target: BenchTarget;
  readonly #content: MessageContent;
  readonly #slots: number;
  readonly #batchSize: number;
  readonly #isSampled: boolean;
  samples: readonly LoadSample[] = [];

  constructor(target: BenchTarget, { contestant, messageSize, inFlight, isSampled }: Workload, acknowledgement: Acknowledgement) {
    this.#target = target;
    this.#isSampled = isSampled === true;
    this.#batchSize = acknowledgement === "group" ? inFlight : 1;
    this.#slots = inFlight / this.#batchSize;
    this.#content = benchContent(messageSize, this.#batchSize, contestant === "store-keys");
  }

  async run(deadlineUs: number, latencyUs: LatencyHistogram): Promise<number> {
    const plan: LoadPlan = { pace: UNPACED, slots: this.#slots, units: Number.POSITIVE_INFINITY, deadlineUs };
    const driver = new LoadDriver(this.#target, this.#content, undefined, plan, latencyUs);
    const { stats } = this.#target;
    const sampler = this.#isSampled && stats !== undefined ? new LoadSampler() : undefined;
    if (stats !== undefined) sampler?.start({ stats }, driver, undefined, this.#batchSize);
    await driver.run();
    sampler?.stop();
    this.samples = sampler?.samples ?? [];
    if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
    return driver.ackedUnits * this.#batchSize;
  }

  async settled(): Promise<void> {
    await this.#target.settled?.();
  }

  async close(): Promise<void> {
    await this.#target.close();
  }
}
