/** A process to be killed: opens the store, puts numbered messages, writes down what it sends and what was acknowledged, closes. */
import { openSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { MessageStore } from "@millrace/store";
import { seededRandom } from "../random.js";
import { bodyOf, type CrashJob, type CrashMark, PRODUCERS, producerQueue } from "./crash-job.js";

const IN_FLIGHT = 200;
const BATCH_MAX = 4;
const MESSAGES_MAX = 6000;

const job = JSON.parse(process.argv[2] ?? "") as CrashJob;
const random = seededRandom(job.seed);
const ledger = openSync(job.ledger, "a");
let acknowledged = "";
let inFlight = 0;

function mark(place: CrashMark): void {
  process.send?.(place);
}

/** Once per turn of acknowledgements, at once. */
function writeAcknowledged(): void {
  const lines = acknowledged;
  acknowledged = "";
  writeSync(ledger, lines);
}

async function put(store: MessageStore, producer: number, first: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({
    ...producerQueue(producer),
    body: bodyOf(producer, first + i, job.round),
  }));
  inFlight++;
  const { status } = await (count === 1 && messages[0] !== undefined ? store.putMessage(messages[0]) : store.putMessages(messages));
  inFlight--;
  if (status !== "PUT_OK") throw new Error(`a put was refused: status=${status}`);
  if (acknowledged === "") queueMicrotask(writeAcknowledged);
  acknowledged += `acknowledged ${producer} ${first} ${count}\n`;
}

async function load(store: MessageStore, next: number[]): Promise<void> {
  const puts: Promise<void>[] = [];
  const end = performance.now() + job.loadMs;
  let messages = 0;
  while (performance.now() < end) {
    if (inFlight < IN_FLIGHT && messages < MESSAGES_MAX) {
      const producer = random(PRODUCERS);
      const count = 1 + Math.max(0, random(3 * BATCH_MAX) - 2 * BATCH_MAX);
      const first = next[producer] ?? 0;
      next[producer] = first + count;
      messages += count;
      writeSync(ledger, `sent ${producer} ${first} ${count}\n`);
      puts.push(put(store, producer, first, count));
      if (inFlight % 8 !== 0) continue;
    }
    await setImmediate();
  }
  mark("closing");
  if (random(2) === 0) await Promise.all(puts);
  await store.close();
  await Promise.all(puts);
}

mark("opening");
const store = await MessageStore.open(job.options);
const next = Array.from({ length: PRODUCERS }, (_, producer) => {
  const { topic, queueId } = producerQueue(producer);
  return store.recovery.queueOffsets.get(`${topic}-${queueId}`) ?? 0;
});
writeSync(ledger, `open ${next.join(" ")}\n`);
mark("open");
await load(store, next);
mark("closed");
process.disconnect?.();
