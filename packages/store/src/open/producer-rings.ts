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
import type { Pipeline } from "../pipeline/pipeline.js";
import { FRAMES } from "../pipeline/pipeline-data.js";
import { type ProducerFace, ProducerHandle, posted, type StoreFace } from "../produce/producer-handle.js";
import type { TopicTable } from "../put/topic-table.js";

/** A producer's frames are appended soon after its end; until then its ring is looked at again. */
const RETIRE_LOOK_MS = 5;
/** A thread that does not come to its event loop is not waited for. */
const CLOSE_TIMEOUT_MS = 5_000;

interface Producer {
  readonly ring: PutRingBuffers;
  readonly port: ControlPort<ProducerFace>;
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

  constructor(pipeline: Pipeline, topics: TopicTable, onDelayed: () => void) {
    this.#pipeline = pipeline;
    this.#topics = topics;
    this.#onDelayed = onDelayed;
  }

  /** See `MessageStore.producerHandle`. */
  handle(): ProducerHandle {
    const { config, control, kernelMemory } = this.#pipeline.data;
    const ring = this.#free.pop() ?? allocatePutRing(new KernelMemory(kernelMemory), config.putRingSize, FRAMES);
    const { port1, port2 } = new MessageChannel();
    const face: StoreFace = {
      slot: (topic, queueId) => this.#slot(topic, queueId),
      delayed: this.#onDelayed,
    };
    const producer = { ring, port: new ControlPort<ProducerFace>(port1, face) };
    this.#producers.add(producer);
    void producer.port.closed.then(() => this.#retire(producer));
    this.#pipeline.addRing(ring).catch(() => {}); // the thread has ended: the store says so itself
    return new ProducerHandle({ config, control, kernelMemory, ring, port: port2 });
  }

  /** While nothing of the topic is put, or on its way to the log. */
  async suspend(topic: string): Promise<void> {
    await this.#all(({ port }) => port.remote.suspend(topic));
  }

  async resume(topic: string): Promise<void> {
    await this.#all(({ port }) => port.remote.resume(topic));
  }

  /** Nobody answers them any more. */
  abandon(error: MillraceError): void {
    for (const { port } of this.#present) void port.remote.abandon(posted(error));
  }

  /** From now on they put nothing; resolves when what they have put is acknowledged, or its producer does not come to its event loop. */
  async refuse(error: MillraceError): Promise<void> {
    const refused = this.#all(({ port }) => port.remote.refuse(posted(error)));
    const late = new AbortController();
    await Promise.race([refused, setTimeout(CLOSE_TIMEOUT_MS, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
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

  /** Of each producer, unless it ends before it answers. */
  async #all(ask: (producer: Producer) => Promise<void>): Promise<void> {
    await Promise.all(this.#present.map((producer) => Promise.race([ask(producer), producer.port.closed])));
  }

  /** Without those that are gone, and whose ring is not empty yet. */
  get #present(): Producer[] {
    return [...this.#producers].filter(({ port }) => !port.isClosed);
  }

  #slot(name: string, queueId: number): ReturnType<StoreFace["slot"]> {
    try {
      const topic = this.#topics.topic(name);
      return this.#topics.slot(topic, queueId, this.#topics.checkSlot(topic, queueId));
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

function addTotals(totals: Float64Array, putToAckUs: LatencyHistogram, ring: PutRingBuffers): void {
  for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] as number) + (ring.totals[i] as number);
  putToAckUs.add(new LatencyHistogram(ring.putToAckUs.buffer, ring.putToAckUs.byteOffset));
}
