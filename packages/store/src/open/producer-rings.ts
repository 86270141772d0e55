import { setTimeout } from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import { MillraceError } from "@millrace/format";
import { KernelMemory } from "@millrace/kernels";
import {
  allocatePutRing,
  ControlPort,
  LatencyHistogram,
  type PutRingBuffers,
  PutRingTotal,
  resetPutRing,
} from "@millrace/shared-memory";
import type { Suspension } from "../clean/topic-cleaner.js";
import type { Pipeline } from "../pipeline/pipeline.js";
import { FRAMES } from "../pipeline/pipeline-data.js";
import { type ProducerFace, ProducerHandle, posted, type StoreFace } from "../produce/producer-handle.js";
import type { TopicTable } from "../put/topic-table.js";

/** A producer's frames are appended soon after its end; until then its ring is looked at again. */
const RETIRE_LOOK_MS = 5;
/** A thread that does not come to its event loop is not waited for. */
const ANSWER_TIMEOUT_MS = 5_000;

interface Producer {
  readonly ring: PutRingBuffers;
  readonly port: ControlPort<ProducerFace>;
  /** Of which it has slots: it can put nothing else. Of a handle that nobody has attached there are none. */
  readonly topics: Set<string>;
}

/** What producers have counted, those that are gone included; indices of {@link PutRingTotal}. */
export interface PutTotals {
  readonly messages: number;
  readonly bytes: number;
  readonly failed: number;
  readonly stalls: number;
  readonly putToAckUs: LatencyHistogram;
}

/**
 * The producers on threads of the user's own, seen from the store's thread: gives them rings and slots, hears of their end, and takes their
 * rings back, which the next one gets.
 */
export class ProducerRings {
  readonly #pipeline: Pipeline;
  readonly #topics: TopicTable;
  readonly #onDelayed: () => void;
  readonly #producers = new Set<Producer>();
  readonly #free: PutRingBuffers[] = [];
  readonly #goneTotals = new Float64Array(Object.keys(PutRingTotal).length);
  readonly #gonePutToAckUs = new LatencyHistogram();
  /** From {@link refuse} on: who has no slots yet gets none, because nobody waits for its puts. */
  #refusal: MillraceError | undefined;
  /** From {@link abandon} on: nobody answers puts any more. */
  #failure: MillraceError | undefined;

  constructor(pipeline: Pipeline, topics: TopicTable, onDelayed: () => void) {
    this.#pipeline = pipeline;
    this.#topics = topics;
    this.#onDelayed = onDelayed;
  }

  /** See `MessageStore.producerHandle`. Every handle was made before a failure, and is told of it, or is not made. */
  handle(): ProducerHandle {
    if (this.#failure !== undefined) throw this.#failure;
    const { config, control, kernelMemory } = this.#pipeline.data;
    const ring = this.#free.pop() ?? this.#newRing();
    const { port1, port2 } = new MessageChannel();
    const topics = new Set<string>();
    const face: StoreFace = {
      slot: (topic, queueId) => this.#slot(topics, topic, queueId),
      delayed: this.#onDelayed,
    };
    const producer = { ring, port: new ControlPort<ProducerFace>(port1, face), topics };
    this.#producers.add(producer);
    void producer.port.closed.then(() => this.#retire(producer));
    this.#pipeline.addRing(ring).catch(() => {}); // the thread has ended: the store hears of it, and abandons this one too
    return new ProducerHandle({ config, control, kernelMemory, ring, port: port2 });
  }

  #newRing(): PutRingBuffers {
    const { config, kernelMemory } = this.#pipeline.data;
    try {
      return allocatePutRing(new KernelMemory(kernelMemory), config.putRingSize, FRAMES);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      const values = `producers=${this.#producers.size} putRingSize=${config.putRingSize}`;
      const text = `there is no memory for one more ring; close a producer, or open the store with a smaller putRingSize: ${values}`;
      throw new MillraceError("ERR_TOO_MANY_PRODUCERS", text, { cause });
    }
  }

  /** Of those that put to the topic, while it gives no slots. Who did not answer hears of both when it comes to its event loop. */
  async suspend(topic: string): Promise<Suspension> {
    const users = this.#present.filter(({ topics }) => topics.has(topic));
    const answered = await answeredInTime(users, ({ port }) => port.remote.suspend(topic));
    const resume = async (): Promise<void> => {
      const present = users.filter(({ port }) => !port.isClosed);
      for (const producer of present) if (!answered.has(producer)) void producer.port.remote.resume(topic);
      await answeredInTime(
        present.filter((producer) => answered.has(producer)),
        ({ port }) => port.remote.resume(topic),
      );
    };
    return { isComplete: answered.size === users.length, resume };
  }

  /** Nobody answers them any more; a handle that is not attached yet is told when it is. */
  abandon(error: MillraceError): void {
    this.#failure ??= error;
    for (const { port } of this.#present) void port.remote.abandon(posted(error));
  }

  /** From now on they put nothing; resolves when what they have put is acknowledged, or its producer does not come to its event loop. */
  async refuse(error: MillraceError): Promise<void> {
    this.#refusal = error;
    const refusal = posted(error);
    const present = this.#present;
    for (const { port, topics } of present) if (topics.size === 0) void port.remote.refuse(refusal);
    await answeredInTime(
      present.filter(({ topics }) => topics.size > 0),
      ({ port }) => port.remote.refuse(refusal),
    );
  }

  /** After the pipeline: what a late producer has still put is rejected there. */
  close(error: MillraceError): void {
    this.abandon(error);
    for (const { port } of this.#producers) port.close();
  }

  /** With those of the store's own thread. */
  totals(main: PutRingBuffers): PutTotals {
    const totals = Float64Array.from(this.#goneTotals);
    const putToAckUs = new LatencyHistogram().add(this.#gonePutToAckUs);
    for (const ring of [main, ...Array.from(this.#producers, (producer) => producer.ring)]) addTotals(totals, putToAckUs, ring);
    const of = (name: keyof typeof PutRingTotal): number => totals[PutRingTotal[name]] as number;
    return { messages: of("messages"), bytes: of("bytes"), failed: of("failed"), stalls: of("stalls"), putToAckUs };
  }

  /** Without those that are gone, and whose ring is not empty yet. */
  get #present(): Producer[] {
    return [...this.#producers].filter(({ port }) => !port.isClosed);
  }

  #slot(topics: Set<string>, name: string, queueId: number): ReturnType<StoreFace["slot"]> {
    const refusal = this.#failure ?? (topics.size === 0 ? this.#refusal : undefined);
    if (refusal !== undefined) return posted(refusal);
    try {
      const topic = this.#topics.topic(name);
      const slot = this.#topics.slot(topic, queueId, this.#topics.checkSlot(topic, queueId));
      topics.add(name);
      return slot;
    } catch (error) {
      if (error instanceof MillraceError) return posted(error);
      throw error;
    }
  }

  /** It is gone, and all that it has published will be appended. */
  async #retire(producer: Producer): Promise<void> {
    const { ring, port } = producer;
    port.close();
    try {
      while (!(await this.#pipeline.removeRing(ring.words.byteOffset))) await setTimeout(RETIRE_LOOK_MS);
    } catch {
      return; // the append thread has ended: the ring ends with the store
    }
    this.#producers.delete(producer);
    addTotals(this.#goneTotals, this.#gonePutToAckUs, ring);
    resetPutRing(ring);
    this.#free.push(ring);
  }
}

/** Those that have answered, or ended, in time. */
async function answeredInTime(
  producers: readonly Producer[],
  ask: (producer: Producer) => Promise<void>,
): Promise<ReadonlySet<Producer>> {
  const answered = new Set<Producer>();
  if (producers.length === 0) return answered;
  const asked = producers.map(async (producer) => {
    await Promise.race([ask(producer), producer.port.closed]);
    answered.add(producer);
  });
  const isOver = new AbortController();
  const late = setTimeout(ANSWER_TIMEOUT_MS, undefined, { signal: isOver.signal }).catch(() => {});
  await Promise.race([Promise.all(asked), late]);
  isOver.abort();
  return new Set(answered); // who answers later is late
}

function addTotals(totals: Float64Array, putToAckUs: LatencyHistogram, ring: PutRingBuffers): void {
  for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] as number) + (ring.totals[i] as number);
  putToAckUs.add(new LatencyHistogram(ring.putToAckUs.buffer, ring.putToAckUs.byteOffset));
}
