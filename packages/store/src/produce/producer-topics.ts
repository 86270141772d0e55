import { checkQueueId, checkTopic, isReservedTopic, MillraceError } from "@millrace/format";
import { NO_SLOT, type PutTopics, type Topic, topicSuspended } from "../put/topic-table.js";
import { errorOf, type PostedError } from "./producer-handle.js";

/** Asks the store's thread for a queue's slot. */
type Ask = (topic: string, queueId: number) => Promise<number | PostedError>;

/** The topics and queues of one producer: their slots come from the store's thread, one question each. */
export class ProducerTopics implements PutTopics {
  readonly #topics = new Map<string, Topic>();
  readonly #suspended = new Set<string>();
  /** Questions under way, and a refusal while those who wait hear of it. */
  readonly #asked = new Map<string, "asked" | MillraceError>();
  readonly #ask: Ask;
  readonly #onAnswer: () => void;
  #made = 0;

  constructor(ask: Ask, onAnswer: () => void) {
    this.#ask = ask;
    this.#onAnswer = onAnswer;
  }

  topic(name: string): Topic {
    return this.#topics.get(name) ?? this.#unknown(name);
  }

  #unknown(name: string): Topic {
    checkTopic(name);
    if (this.#suspended.has(name)) throw topicSuspended(name);
    return { name, bytes: Buffer.from(name), ordinal: this.#made++, slots: new Map(), isReserved: isReservedTopic(name) };
  }

  checkSlot(topic: Topic, queueId: number): number {
    const slot = topic.slots.get(queueId);
    if (slot !== undefined) return slot;
    checkQueueId(queueId);
    const answer = this.#asked.get(keyOf(topic.name, queueId));
    if (!(answer instanceof MillraceError)) return NO_SLOT;
    this.#asked.delete(keyOf(topic.name, queueId));
    throw answer;
  }

  hasSlot(topic: Topic, queueId: number): boolean {
    const key = keyOf(topic.name, queueId);
    if (this.#asked.has(key)) return false;
    this.#asked.set(key, "asked");
    void this.#ask(topic.name, queueId).then((answer) => {
      if (typeof answer === "number") {
        this.#asked.delete(key);
        const known = this.#topics.get(topic.name) ?? topic;
        known.slots.set(queueId, answer);
        if (!this.#suspended.has(topic.name)) this.#topics.set(topic.name, known);
        this.#onAnswer();
        return;
      }
      const error = errorOf(answer);
      this.#asked.set(key, error);
      this.#onAnswer();
      if (this.#asked.get(key) === error) this.#asked.delete(key); // who has waited for it has given up: the next put asks anew
    });
    return false;
  }

  slot(topic: Topic, queueId: number, known: number): number {
    return known === NO_SLOT ? (topic.slots.get(queueId) as number) : known;
  }

  /** What is put to the topic after {@link resume} asks for its slots again. */
  suspend(name: string): void {
    this.#suspended.add(name);
    this.#topics.delete(name);
  }

  resume(name: string): void {
    this.#suspended.delete(name);
  }
}

function keyOf(topic: string, queueId: number): string {
  return `${queueId} ${topic}`;
}
