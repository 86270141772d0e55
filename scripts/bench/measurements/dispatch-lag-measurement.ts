import { LatencyHistogram, monotonicUs } from "@millrace/shared-memory";
import type { MessageStore } from "@millrace/store";
import type { LoadMessage, LoadPutResult, LoadTarget } from "../../load-generator/load-target.js";
import { benchContent } from "../contestants/load-contestant.js";
import { openReadyStore } from "../contestants/store-contestant.js";
import type { DispatchLagJob, DispatchLagResult } from "./job.js";
import { measureMaxRate, runPaced } from "./paced-load.js";

const MESSAGE_SIZE = 128;
const SHARE_OF_MAX = 0.5;
const WARM_UP_SECONDS = 2;
/** Messages of a queue that are put and not yet readable, at most. */
const PENDING_MAX = 1 << 20;
const PROBE_TOPIC = "Probe";
const PROBE_INTERVAL_MS = 1;

/** One queue: when each of its messages was put, in the order of their queue offsets. */
class TimedQueue {
  readonly #topic: string;
  readonly #queueId: number;
  readonly #putUs = new Float64Array(PENDING_MAX);
  /** Queue offsets: of the next put, and of the first message that is not yet readable. */
  #putOffset: number;
  #readableOffset: number;

  constructor(store: MessageStore, topic: string, queueId: number) {
    this.#topic = topic;
    this.#queueId = queueId;
    this.#putOffset = store.getMaxOffsetInQueue(topic, queueId, false);
    this.#readableOffset = this.#putOffset;
  }

  put(nowUs: number): void {
    if (this.#putOffset - this.#readableOffset === PENDING_MAX) throw new Error(`the dispatcher is too far behind: ${this.#topic}`);
    this.#putUs[this.#putOffset++ % PENDING_MAX] = nowUs;
  }

  look(store: MessageStore, latencyUs: LatencyHistogram): void {
    const readable = Math.min(this.#putOffset, store.getMaxOffsetInQueue(this.#topic, this.#queueId));
    if (readable === this.#readableOffset) return;
    const nowUs = monotonicUs();
    while (this.#readableOffset < readable) {
      latencyUs.record(nowUs - (this.#putUs[this.#readableOffset++ % PENDING_MAX] as number));
    }
  }

  get isReadable(): boolean {
    return this.#readableOffset === this.#putOffset;
  }
}

/** Notes the time of every put, and looks in every turn of the event loop what has become readable. */
class PolledStore implements LoadTarget {
  readonly latencyUs = new LatencyHistogram();
  readonly #store: MessageStore;
  readonly #queues: readonly TimedQueue[];
  #isStopped = false;
  #turn: NodeJS.Immediate;

  constructor(store: MessageStore) {
    this.#store = store;
    const content = benchContent(MESSAGE_SIZE);
    this.#queues = Array.from(
      { length: content.lanes },
      (_, lane) => new TimedQueue(store, content.topicOf(lane), content.queueIdOf(lane)),
    );
    this.#turn = setImmediate(this.#look);
  }

  putMessage(message: LoadMessage): Promise<LoadPutResult> {
    (this.#queues[message.queueId] as TimedQueue).put(monotonicUs());
    return this.#store.putMessage(message);
  }

  putMessages(): never {
    throw new Error("batches are not measured");
  }

  stats(): ReturnType<MessageStore["stats"]> {
    return this.#store.stats();
  }

  /** Stops when every message has become readable; the store stays open. */
  async close(): Promise<void> {
    while (!this.#queues.every((queue) => queue.isReadable)) await new Promise((resolve) => setImmediate(resolve));
    this.#isStopped = true;
    clearImmediate(this.#turn);
  }

  readonly #look = (): void => {
    for (const queue of this.#queues) queue.look(this.#store, this.latencyUs);
    if (!this.#isStopped) this.#turn = setImmediate(this.#look);
  };
}

async function runPolled(store: MessageStore, rate: number, seconds: number): Promise<LatencyHistogram> {
  const polled = new PolledStore(store);
  await runPaced(polled, MESSAGE_SIZE, rate, seconds);
  await polled.close();
  return polled.latencyUs;
}

/** The same rate, while one message each millisecond is put into a queue where somebody waits for it. */
async function runWoken(store: MessageStore, rate: number, seconds: number): Promise<LatencyHistogram> {
  const latencyUs = new LatencyHistogram();
  const putUs: number[] = [];
  const ended = new AbortController();
  const consumed = (async (): Promise<void> => {
    let next = 0;
    for await (const { messages } of store.consume({ topic: PROBE_TOPIC, queueId: 0, from: "earliest", signal: ended.signal })) {
      const nowUs = monotonicUs();
      for (let i = 0; i < messages.length; i++) latencyUs.record(nowUs - (putUs[next++] as number));
    }
  })();
  const puts: Promise<unknown>[] = [];
  const body = new Uint8Array(MESSAGE_SIZE);
  const timer = setInterval(() => {
    putUs.push(monotonicUs());
    puts.push(store.putMessage({ topic: PROBE_TOPIC, queueId: 0, body }));
  }, PROBE_INTERVAL_MS);
  await runPaced(store, MESSAGE_SIZE, rate, seconds);
  clearInterval(timer);
  await Promise.all(puts);
  while (latencyUs.snapshot().count < puts.length) await new Promise((resolve) => setTimeout(resolve, 1));
  ended.abort();
  await consumed;
  return latencyUs;
}

/** ASYNC_FLUSH, 128 B, at half the maximum rate: put → readable by queue offset. */
export async function measureDispatchLag(job: DispatchLagJob): Promise<DispatchLagResult> {
  const store = await openReadyStore({ storePathRootDir: job.directory });
  await measureMaxRate(store, MESSAGE_SIZE, WARM_UP_SECONDS);
  const maxMsgPerSec = await measureMaxRate(store, MESSAGE_SIZE, WARM_UP_SECONDS);
  const msgPerSec = SHARE_OF_MAX * maxMsgPerSec;
  await runPolled(store, msgPerSec, WARM_UP_SECONDS);
  const polled = await runPolled(store, msgPerSec, job.seconds);
  const woken = await runWoken(store, msgPerSec, job.seconds);
  await store.close();
  return {
    maxMsgPerSec,
    msgPerSec,
    polledP50Us: polled.quantile(0.5),
    polledP99Us: polled.quantile(0.99),
    wokenP50Us: woken.quantile(0.5),
    wokenP99Us: woken.quantile(0.99),
    probes: woken.snapshot().count,
  };
}
