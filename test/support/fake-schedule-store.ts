import { MillraceError, SCHEDULE_TOPIC } from "@millrace/format";
import type { Clock } from "@millrace/shared-memory";
import type { Message, PutMessageResult } from "@millrace/store";
import type { ConsumeQueueUnit } from "#format/consume-queue-unit.js";
import type { ScheduledQueue, ScheduleMessageStore } from "#store/broker/delay/schedule-message-store.js";
import { MessageView } from "#store/read/message-view.js";
import { CommitLogBuilder } from "./commit-log-builder.js";

const SEGMENT_SIZE = 1024 * 1024;

type Answer = PutMessageResult | MillraceError | undefined;

interface FakeUnit {
  readonly physicalOffset: number;
  readonly size: number;
  readonly tagsCode: number;
}

/** A queue of units in memory. */
export class FakeQueue implements ScheduledQueue {
  readonly units: (FakeUnit | undefined)[] = [];
  minOffset = 0;
  /** Behind the last unit, unless a test says otherwise. */
  next: number | undefined;
  /** Queue offset → what reading its unit throws. */
  readonly bad = new Map<number, Error>();

  get maxOffset(): number {
    return this.units.length;
  }

  get nextOffset(): number {
    return this.next ?? this.maxOffset;
  }

  rollNextFile(queueOffset: number): number {
    return queueOffset + 10 - (queueOffset % 10);
  }

  unit(queueOffset: number, unit: ConsumeQueueUnit): boolean {
    const error = this.bad.get(queueOffset);
    if (error !== undefined) throw error;
    const found = queueOffset >= this.minOffset ? this.units[queueOffset] : undefined;
    if (found !== undefined) Object.assign(unit, found);
    return found !== undefined;
  }
}

/** Clocks that a test moves. */
export class FakeClock implements Clock {
  wallMs = 1_700_000_000_000;
  monotonicMs = 5000;

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }
}

/** A store with nothing but delayed messages, which answers puts as a test says. */
export class FakeScheduleStore implements ScheduleMessageStore {
  readonly queuesById = new Map<number, FakeQueue>();
  readonly put: Message[] = [];
  flushes = 0;
  mostInFlight = 0;
  /** What the next puts are answered; PUT_OK without one. */
  answer: (message: Message, n: number) => Answer | Promise<Answer> = () => undefined;
  readonly #builder = new CommitLogBuilder(SEGMENT_SIZE);
  #attempts = 0;
  #inFlight = 0;

  /** Adds a message of a level to its queue. Returns its queue offset. */
  schedule(level: number, deliverTime: number, properties = "REAL_TOPIC\x01TopicA\x02REAL_QID\x013\x02", body = ""): number {
    const queue = this.queue(level);
    const bytes = new TextEncoder().encode(body === "" ? `body ${queue.units.length}` : body);
    const { offset, length } = this.#builder.add({ topic: SCHEDULE_TOPIC, queueId: level - 1, properties, body: bytes });
    queue.units.push({ physicalOffset: offset, size: length, tagsCode: deliverTime });
    return queue.units.length - 1;
  }

  queue(level: number): FakeQueue {
    const queue = this.queuesById.get(level - 1) ?? new FakeQueue();
    this.queuesById.set(level - 1, queue);
    return queue;
  }

  consumeQueue(topic: string, queueId: number): FakeQueue | undefined {
    return topic === SCHEDULE_TOPIC ? this.queuesById.get(queueId) : undefined;
  }

  queues(topic: string): number[] {
    return topic === SCHEDULE_TOPIC ? [...this.queuesById.keys()] : [];
  }

  message(physicalOffset: number, size: number): MessageView | undefined {
    const segment = this.#builder.segments.get(physicalOffset - (physicalOffset % SEGMENT_SIZE));
    if (segment === undefined) return undefined;
    return new MessageView(Buffer.from(segment.buffer), physicalOffset % SEGMENT_SIZE, size);
  }

  async deliverMessage(message: Message): Promise<PutMessageResult> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.#inFlight);
    try {
      const answer = await this.answer(message, this.#attempts++);
      if (answer instanceof MillraceError) throw answer;
      if (answer !== undefined && answer.appendResult === null) return answer;
      this.put.push(message);
      return { status: "PUT_OK", appendResult: {} as NonNullable<PutMessageResult["appendResult"]> };
    } finally {
      this.#inFlight--;
    }
  }

  async flush(): Promise<void> {
    this.flushes++;
  }

  get bodies(): string[] {
    return this.put.map(({ body }) => Buffer.from(body).toString());
  }
}
