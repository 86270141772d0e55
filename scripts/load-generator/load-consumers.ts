import { setTimeout as sleep } from "node:timers/promises";
import { LatencyHistogram, type LatencySnapshot, monotonicUs } from "@millrace/shared-memory";
import type { AcknowledgementLog } from "./acknowledgement-log.js";
import type { ConsumedMessages, ConsumedTarget } from "./load-target.js";
import type { MessageContent } from "./message-content.js";
import type { SentTimes } from "./sent-times.js";
import { SequenceCheck } from "./sequence-check.js";

/** Whose progress `consumerOffsets` keeps. */
const GROUP = "load-generator";
const LOOK_MS = 5;
/** Without a message for so long, consumers that have not come to the end never will. */
const PATIENCE_MS = 15_000;

/** What the consumers came to. */
export interface Consumption {
  readonly consumed: number;
  /** From the put, at a fixed rate from its intended time, to the body of the consumer's loop. */
  readonly e2eLatencyUs: LatencySnapshot;
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly foreign: number;
  /** Acknowledged, and not consumed. */
  readonly missing: number;
  readonly problems: readonly string[];
}

interface Lane {
  readonly index: number;
  readonly topic: string;
  readonly queueId: number;
  /** Queue offset one past the last batch. */
  nextOffset: number;
}

/**
 * One consumer for each lane, a queue of a topic: each takes its queue from where it ended when the load began, checks every message and
 * commits every batch. When the store is opened again they go on from what was committed.
 */
export class LoadConsumers {
  consumed = 0;
  readonly #content: MessageContent;
  readonly #sent: SentTimes;
  readonly #check: SequenceCheck;
  readonly #latencyUs = new LatencyHistogram();
  readonly #lanes: readonly Lane[];
  #loops: Promise<void>[] = [];
  #failures = 0;

  /** Notes where each queue ends: what is put from now on is consumed. */
  constructor(target: ConsumedTarget, content: MessageContent, sent: SentTimes) {
    this.#content = content;
    this.#sent = sent;
    this.#check = new SequenceCheck(content.lanes);
    this.#lanes = Array.from({ length: content.lanes }, (_, index) => {
      const topic = content.topicOf(index);
      const queueId = content.queueIdOf(index);
      const nextOffset = target.getMaxOffsetInQueue(topic, queueId, false);
      target.consumerOffsets.commit(GROUP, topic, queueId, nextOffset);
      return { index, topic, queueId, nextOffset };
    });
  }

  /** The consumers go on, in a store that has been opened, from what the group has committed there. They end when it is closed. */
  start(target: ConsumedTarget): void {
    this.#loops = this.#lanes.map((lane) => this.#consume(target, lane));
  }

  /** Resolves when the store has been closed and the consumers have noticed. */
  async ended(): Promise<void> {
    await Promise.all(this.#loops);
  }

  /** Resolves when every queue has been consumed to its end, or when nothing has come for too long. */
  async caughtUp(target: ConsumedTarget): Promise<void> {
    let seen = this.consumed;
    let seenAt = performance.now();
    while (!this.#isAtEnd(target) && this.#failures === 0) {
      await sleep(LOOK_MS);
      if (this.consumed > seen) {
        seen = this.consumed;
        seenAt = performance.now();
      } else if (performance.now() - seenAt > PATIENCE_MS) {
        this.#check.note(`the consumers do not come to the end of their queues: consumed=${this.consumed}`);
        return;
      }
    }
  }

  /** @param units how many were sent, acknowledged or not */
  result(units: number, acks: AcknowledgementLog): Consumption {
    const { duplicates, outOfOrder, foreign, problems } = this.#check;
    const missing = this.#missing(units, acks);
    return {
      consumed: this.consumed,
      e2eLatencyUs: this.#latencyUs.snapshot(),
      duplicates,
      outOfOrder,
      foreign,
      missing,
      problems,
    };
  }

  async #consume(target: ConsumedTarget, lane: Lane): Promise<void> {
    const { topic, queueId } = lane;
    try {
      const from = target.consumerOffsets.get(GROUP, topic, queueId);
      if (from !== lane.nextOffset) {
        this.#check.note(
          `the committed offset is not there: topic=${topic} queueId=${queueId} from=${from} next=${lane.nextOffset}`,
        );
      }
      for await (const batch of target.consume({ topic, queueId, from: from ?? 0 })) {
        this.#take(lane, batch);
        target.consumerOffsets.commit(GROUP, topic, queueId, batch.nextOffset);
      }
    } catch (error) {
      this.#failures++;
      this.#check.note(
        `a consumer failed: topic=${topic} queueId=${queueId} reason=${error instanceof Error ? error.message : error}`,
      );
    }
  }

  /** The clock is read once: a batch is bounded, and its checks cost less than the clock. */
  #take(lane: Lane, batch: ConsumedMessages): void {
    const nowUs = monotonicUs();
    for (const { body } of batch.messages) {
      const number = this.#content.numberOf(body);
      const unit = Math.floor(number / this.#content.batchSize);
      const sentUs = this.#sent.of(unit);
      if (sentUs < 0 || unit % this.#lanes.length !== lane.index) {
        this.#check.refuse(`not a message of topic=${lane.topic} queueId=${lane.queueId}: number=${number}`);
        continue;
      }
      this.#latencyUs.record(nowUs - sentUs);
      this.#check.see(lane.index, number);
    }
    this.consumed += batch.messages.length;
    lane.nextOffset = batch.nextOffset;
  }

  #isAtEnd(target: ConsumedTarget): boolean {
    return this.#lanes.every((lane) => lane.nextOffset >= target.getMaxOffsetInQueue(lane.topic, lane.queueId, false));
  }

  #missing(units: number, acks: AcknowledgementLog): number {
    const { batchSize } = this.#content;
    let missing = 0;
    for (let unit = 0; unit < units; unit++) {
      if (acks.physicalOffsetOf(unit) < 0) continue;
      for (let number = unit * batchSize; number < (unit + 1) * batchSize; number++) {
        if (this.#check.hasSeen(number)) continue;
        missing++;
        this.#check.note(`message ${number} was acknowledged and not consumed`);
      }
    }
    return missing;
  }
}
