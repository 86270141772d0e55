/** A process to be killed: opens the store, puts numbered messages, writes down what it sends and what was acknowledged, closes. */
import { openSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type Message, MessageStore } from "@millrace/store";
import { seededRandom } from "../support/random.js";
import {
  bodyOf,
  CONSUMER_GROUP,
  type CrashJob,
  type CrashMark,
  DELAYED_QUEUES,
  DELAYED_TOPIC,
  keysOf,
  PRODUCERS,
  producerQueue,
} from "./crash-job.js";

const IN_FLIGHT = 200;
const BATCH_MAX = 4;
const MESSAGES_MAX = 6000;
/** One of so many puts has a delay. */
const DELAYED_SHARE = 50;
/** One of so many turns of acknowledgements is followed by a deletion, or a save. */
const CLEANING_SHARE = 20;
const PERSIST_SHARE = 20;

const job = JSON.parse(process.argv[2] ?? "") as CrashJob;
const random = seededRandom(job.seed);
const ledger = openSync(job.ledger, "a");
let acknowledged = "";
let inFlight = 0;
let firstAcknowledgedMs = 0;
let delayed = 0;

function mark(place: CrashMark): void {
  process.send?.(place);
}

/** Once per turn of acknowledgements, at once. */
function writeAcknowledged(store: MessageStore): void {
  const lines = acknowledged;
  acknowledged = "";
  writeSync(ledger, lines);
  if (firstAcknowledgedMs === 0) {
    firstAcknowledgedMs = performance.now();
    mark("acknowledged");
  }
  if (isClosing) return;
  if (random(PERSIST_SHARE) === 0) {
    const ends = [...committed];
    void store.consumerOffsets.persist().then(() => {
      for (const [producer, end] of ends) writeSync(ledger, `persisted ${producer} ${end}\n`);
    });
  }
  if (job.isCleaning && random(CLEANING_SHARE) === 0) store.deleteExpiredFiles().catch(() => {});
}

let isClosing = false;
const committed = new Map<number, number>();

/** As if its consumer were as fast as it is. */
function commit(store: MessageStore, producer: number, end: number): void {
  if (isClosing) return;
  const { topic, queueId } = producerQueue(producer);
  writeSync(ledger, `committed ${producer} ${end}\n`);
  store.consumerOffsets.commit(CONSUMER_GROUP, topic, queueId, end);
  committed.set(producer, end);
}

async function sent(store: MessageStore, messages: readonly Message[], line: string): Promise<void> {
  inFlight++;
  const { status } = await (messages.length === 1 ? store.putMessage(messages[0] as Message) : store.putMessages(messages));
  inFlight--;
  if (status !== "PUT_OK") throw new Error(`a put was refused: status=${status}`);
  if (acknowledged === "") queueMicrotask(() => writeAcknowledged(store));
  acknowledged += `${line}\n`;
}

async function put(store: MessageStore, producer: number, first: number, count: number): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({
    ...producerQueue(producer),
    body: bodyOf(producer, first + i, job.round),
    ...(keysOf(producer, first + i).length === 0 ? {} : { keys: keysOf(producer, first + i) }),
  }));
  writeSync(ledger, `sent ${producer} ${first} ${count}\n`);
  await sent(store, messages, `acknowledged ${producer} ${first} ${count}`);
  if (first % 8 === 0) commit(store, producer, first + count);
}

async function putDelayed(store: MessageStore): Promise<void> {
  const id = `${job.round}-${delayed++}`;
  const queueId = random(DELAYED_QUEUES);
  const message = { topic: DELAYED_TOPIC, queueId, body: Buffer.from(id), keys: [id], delayTimeLevel: 1 + random(2) };
  writeSync(ledger, `delayedSent ${id} ${queueId}\n`);
  await sent(store, [message], `delayedAcknowledged ${id}`);
}

async function load(store: MessageStore, next: number[]): Promise<void> {
  const puts: Promise<void>[] = [];
  let messages = 0;
  while (firstAcknowledgedMs === 0 || performance.now() < firstAcknowledgedMs + job.loadMs) {
    if (inFlight < IN_FLIGHT && messages < MESSAGES_MAX) {
      if (random(DELAYED_SHARE) === 0) puts.push(putDelayed(store));
      const producer = random(PRODUCERS);
      const count = 1 + Math.max(0, random(3 * BATCH_MAX) - 2 * BATCH_MAX);
      const first = next[producer] ?? 0;
      next[producer] = first + count;
      messages += count;
      puts.push(put(store, producer, first, count));
      if (inFlight % 8 !== 0) continue;
    }
    await setImmediate();
  }
  mark("closing");
  if (random(2) === 0) await Promise.all(puts);
  isClosing = true;
  await store.close();
  await Promise.all(puts);
}

mark("opening");
const store = await MessageStore.open(job.options);
const queues = Array.from({ length: PRODUCERS }, (_, producer) => producerQueue(producer));
const next = queues.map(({ topic, queueId }) => store.recovery.queueOffsets.get(`${topic}-${queueId}`) ?? 0);
const found = queues.map(({ topic, queueId }) => store.consumerOffsets.get(CONSUMER_GROUP, topic, queueId) ?? -1);
writeSync(ledger, `open ${next.join(" ")}\nlog ${store.recovery.maxOffset}\nfound ${found.join(" ")}\n`);
mark("open");
await load(store, next);
mark("closed");
process.disconnect?.();
