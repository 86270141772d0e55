import { checkQueueId, checkTopic, isReservedTopic, isTopicLegal, MillraceError } from "@millrace/format";
import { MAX_QUEUES, type QueueTableWriter } from "@millrace/shared-memory";

/** In the place of a slot. */
export const NO_SLOT = -1;

/** What is known of a topic: checked once, encoded once. */
export interface Topic {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** How many topics were known before it; for those who keep something for each of the first. */
  readonly ordinal: number;
  /** queueId → queue slot. */
  readonly slots: Map<number, number>;
  /** The store puts there itself, nobody else. */
  readonly isReserved: boolean;
}

/** The topics and queues that a producer puts to. */
export interface PutTopics {
  /** Throws ERR_TOPIC_ILLEGAL or ERR_TOPIC_SUSPENDED. */
  topic(name: string): Topic;
  /** The queue's slot; {@link NO_SLOT} where it could be given one. Throws ERR_QUEUE_ILLEGAL or ERR_TOO_MANY_QUEUES. */
  checkSlot(topic: Topic, queueId: number): number;
  /** For a queue without a slot: whether {@link slot} gives it one at once. False: another thread has been asked. */
  hasSlot(topic: Topic, queueId: number): boolean;
  /** The slot of a queue whose record has its place in the ring. */
  slot(topic: Topic, queueId: number, known: number): number;
}

/**
 * Topics and queues seen so far; each queue has a slot, its row in the {@link QueueTableWriter}'s table.
 * Main thread. (RocketMQ: the keys of `topicQueueTable`.)
 */
export class TopicTable implements PutTopics {
  readonly #topics = new Map<string, Topic>();
  /** In the directory, but not to be put: RocketMQ 5 stores topics longer than are put here. */
  readonly #readOnlyTopics = new Map<string, Topic>();
  /** Takes no puts while it is being deleted; undefined once forgotten. */
  readonly #suspended = new Map<string, Topic | undefined>();
  /** Slots of queues that take no puts any more. */
  readonly #fullSlots = new Set<number>();
  /** Slot → the one that the same life of the queue had before. */
  readonly #continued = new Map<number, number>();
  readonly #queues: QueueTableWriter;
  /** Topics made, refused ones included. */
  #made = 0;

  constructor(queues: QueueTableWriter) {
    this.#queues = queues;
  }

  /** The topic, as it is known or will be with its first {@link slot}. Throws ERR_TOPIC_ILLEGAL or ERR_TOPIC_SUSPENDED. */
  topic(name: string): Topic {
    return this.#topics.get(name) ?? this.#unknown(name);
  }

  #unknown(name: string): Topic {
    checkTopic(name);
    if (this.#suspended.has(name)) throw topicSuspended(name);
    return this.#newTopic(name);
  }

  /** A topic that was found in the directory, whether it can be put or not. */
  recovered(name: string): Topic {
    if (isTopicLegal(name)) return this.topic(name);
    const topic = this.#readOnlyTopics.get(name) ?? this.#newTopic(name);
    this.#readOnlyTopics.set(name, topic);
    return topic;
  }

  /** A topic that is known; it is not made. */
  find(name: string): Topic | undefined {
    return this.#topics.get(name) ?? this.#readOnlyTopics.get(name) ?? this.#suspended.get(name);
  }

  /** The queue's slot; undefined when there is no such queue. */
  findSlot(name: string, queueId: number): number | undefined {
    return this.find(name)?.slots.get(queueId);
  }

  /** The topic's queues begin again at 0: with the next put each gets a new queue slot. */
  forget(name: string): void {
    this.#topics.delete(name);
    this.#readOnlyTopics.delete(name);
    if (this.#suspended.has(name)) this.#suspended.set(name, undefined);
  }

  /** The queue begins again at 0: with the next put it gets a new queue slot. */
  forgetQueue(name: string, queueId: number): void {
    const topic = this.find(name);
    topic?.slots.delete(queueId);
    if (topic?.slots.size === 0) this.forget(name);
  }

  /** A queue that was forgotten has not begun again at 0: it goes on in another slot. */
  setContinued(from: number, slot: number): void {
    this.#continued.set(slot, from);
  }

  isContinued(from: number, slot: number): boolean {
    for (let at: number | undefined = slot; at !== undefined; at = this.#continued.get(at)) if (at === from) return true;
    return false;
  }

  /** From now on puts of the topic are refused (ERR_TOPIC_SUSPENDED), until {@link resume}; it can be read. */
  suspend(name: string): void {
    this.#suspended.set(name, this.#topics.get(name));
    this.#topics.delete(name);
  }

  resume(name: string): void {
    const topic = this.#suspended.get(name);
    this.#suspended.delete(name);
    if (topic !== undefined) this.#topics.set(name, topic);
  }

  /** The queue in this slot has no queue offsets left. */
  setFull(slot: number): void {
    this.#fullSlots.add(slot);
  }

  /** The queue's slot; {@link NO_SLOT} where it could be given one. Throws ERR_QUEUE_ILLEGAL, ERR_QUEUE_FULL or ERR_TOO_MANY_QUEUES. */
  checkSlot(topic: Topic, queueId: number): number {
    const slot = topic.slots.get(queueId);
    if (slot !== undefined) {
      if (this.#fullSlots.size === 0 || !this.#fullSlots.has(slot)) return slot;
      throw new MillraceError("ERR_QUEUE_FULL", `the queue has no queue offsets left: topic=${topic.name} queueId=${queueId}`);
    }
    checkQueueId(queueId);
    if (this.#queues.count < MAX_QUEUES) return NO_SLOT;
    const message = `the store has too many queues; deleteTopic and opening it again make room: limit=${MAX_QUEUES}`;
    throw new MillraceError("ERR_TOO_MANY_QUEUES", message);
  }

  /**
   * The queue's slot, its own and never given back from now on: for a put whose record has its place in the ring, because a put that is
   * refused leaves nothing behind. Throws as {@link checkSlot}.
   *
   * @param known what {@link checkSlot} has said in the same turn
   */
  slot(topic: Topic, queueId: number, known = NO_SLOT): number {
    if (known !== NO_SLOT) return known;
    return topic.slots.get(queueId) ?? this.#addSlot(topic, queueId);
  }

  #addSlot(topic: Topic, queueId: number): number {
    this.checkSlot(topic, queueId);
    const slot = this.#queues.count;
    if (this.#readOnlyTopics.get(topic.name) !== topic) this.#topics.set(topic.name, topic);
    topic.slots.set(queueId, this.#queues.add(topic.bytes, queueId));
    return slot;
  }

  #newTopic(name: string): Topic {
    const bytes = new TextEncoder().encode(name);
    return { name, bytes, ordinal: this.#made++, slots: new Map(), isReserved: isReservedTopic(name) };
  }

  hasSlot(): boolean {
    return true;
  }

  *topics(): Iterable<Topic> {
    yield* this.#topics.values();
    yield* this.#readOnlyTopics.values();
    for (const topic of this.#suspended.values()) if (topic !== undefined) yield topic;
  }
}

export function topicSuspended(name: string): MillraceError {
  const message = `queues of the topic are being deleted: topic=${name}`;
  return new MillraceError("ERR_TOPIC_SUSPENDED", message, { status: "SERVICE_NOT_AVAILABLE" });
}
