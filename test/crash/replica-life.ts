/** A master that puts without end, or a slave, in a process of its own: says on stdout where it listens, and what was acknowledged. */
import { MessageStore, type MessageStoreOptions } from "@millrace/store";
import { PATIENCE } from "../support/patience.js";
import { until } from "../support/until.js";
import { numberOf, QUEUES, replicaMessage } from "./replica-message.js";

const [optionsText = "{}"] = process.argv.slice(2);
const options = JSON.parse(optionsText) as MessageStoreOptions;
const IN_FLIGHT = 64;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const store = await MessageStore.open({ ...PATIENCE, ...options });
process.on("SIGTERM", () => void store.close().then(() => process.exit(0)));

/** Each queue has a producer, so that the order of a queue is the order of its acknowledgements. */
async function produce(queueId: number): Promise<void> {
  for (let n = 0; ; n++) {
    const burst = Array.from({ length: IN_FLIGHT }, (_, i) => store.putMessage(replicaMessage(queueId, n * IN_FLIGHT + i)));
    for (const [i, put] of burst.entries()) {
      const { status } = await put;
      if (status === "PUT_OK") say(`acknowledged ${numberOf(queueId, n * IN_FLIGHT + i)}`);
    }
  }
}

if (options.brokerRole === "SLAVE") {
  say("open");
} else {
  say(`port ${store.stats().ha?.listen?.port}`);
  await until(() => store.stats().replicate.inSyncSlaves > 0);
  for (let queueId = 0; queueId < QUEUES; queueId++) void produce(queueId);
}
