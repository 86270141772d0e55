import type { LatencyHistogram } from "@millrace/shared-memory";
import { LoadDriver } from "../../load-generator/load-driver.js";
import type { LoadTarget } from "../../load-generator/load-target.js";
import { MessageContent } from "../../load-generator/message-content.js";
import { UNPACED } from "../../load-generator/pace.js";
import type { Contestant } from "./contestant.js";
import type { Workload } from "./workload.js";

/** What the load generator sends here: one topic of four queues, no tags, no keys. */
export function benchContent(messageSize: number): MessageContent {
  return new MessageContent({ topic: "BenchmarkTest", topics: 1, queues: 4, tags: 0, keyEnable: false, messageSize, batchSize: 1 });
}

/** For what answers each put with a promise: the load generator's window keeps as many in flight as the workload says. */
export class PromiseContestant implements Contestant {
  readonly #target: LoadTarget;
  readonly #workload: Workload;

  constructor(target: LoadTarget, workload: Workload) {
    this.#target = target;
    this.#workload = workload;
  }

  async run(deadlineUs: number, latencyUs: LatencyHistogram): Promise<number> {
    const { messageSize, inFlight } = this.#workload;
    const driver = new LoadDriver(
      this.#target,
      benchContent(messageSize),
      undefined,
      { pace: UNPACED, slots: inFlight, units: Number.POSITIVE_INFINITY, deadlineUs },
      latencyUs,
    );
    await driver.run();
    if (driver.firstFailure !== undefined) throw new Error(`a put failed: ${driver.firstFailure}`);
    return driver.ackedUnits;
  }

  async close(): Promise<void> {
    await this.#target.close();
  }
}
