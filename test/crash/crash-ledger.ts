import { existsSync, readFileSync } from "node:fs";
import { SCHEDULE_TOPIC } from "@millrace/format";
import type { DecodedMessage } from "../support/message-decoder.js";
import { ConsumerLedger } from "./consumer-ledger.js";
import { bodyOf, DELAYED_TOPIC, PRODUCERS, producerQueue } from "./crash-job.js";
import { DelayedLedger } from "./delayed-ledger.js";

/** What one life of the driver wrote down. */
interface Life {
  readonly round: number;
  /** First number of each producer. */
  readonly starts: readonly number[];
  /** Behind the last number sent, of each producer. */
  readonly sentEnds: number[];
  /** Behind the last number acknowledged; acknowledgements come in order. */
  readonly acknowledgedEnds: number[];
}

const DELAYED = [DELAYED_TOPIC, SCHEDULE_TOPIC];

/** All that is known of a directory from outside: which life sent and was promised what. */
export class CrashLedger {
  readonly delayed = new DelayedLedger();
  readonly consumer = new ConsumerLedger();
  readonly #lives: Life[] = [];
  readonly #faults: string[] = [];

  /** A line that the kill cut off was not written. */
  add(round: number, path: string): void {
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
    const [open, ...rest] = lines.map((line) => line.split(" "));
    if (open === undefined) return;
    const starts = open.slice(1).map(Number);
    const life: Life = { round, starts, sentEnds: [...starts], acknowledgedEnds: [...starts] };
    this.#lives.push(life);
    for (const [what = "", ...words] of rest) this.#addLine(life, what, words);
  }

  #addLine({ starts, sentEnds, acknowledgedEnds }: Life, what: string, words: readonly string[]): void {
    const [id = ""] = words;
    const [first = -1, second = -1, third = -1] = words.map(Number);
    if (what === "sent") sentEnds[first] = second + third;
    else if (what === "acknowledged") acknowledgedEnds[first] = second + third;
    else if (what === "log") this.delayed.opened(first);
    else if (what === "found") this.#faults.push(...this.consumer.found(words.map(Number), starts));
    else if (what === "committed") this.consumer.committed(first, second);
    else if (what === "persisted") this.consumer.persisted(first, second);
    else if (what === "delayedSent") this.delayed.sent(id, second);
    else if (what === "delayedAcknowledged") this.delayed.acknowledged(id);
    else throw new RangeError(`a ledger has no such line: ${what}`);
  }

  get messagesAcknowledged(): number {
    let sum = 0;
    for (const { starts, acknowledgedEnds } of this.#lives)
      sum += acknowledgedEnds.reduce((all, end, i) => all + end - (starts[i] ?? 0), 0);
    return sum;
  }

  /**
   * What is wrong with a recovered log; empty when nothing is. Of each producer it must hold 0, 1, 2, … once each, in this order,
   * each as the life sent it that was there for this number, and (unless `mayForget`) all that was acknowledged. Where segments
   * expire, the first ones are gone.
   *
   * @param ends of each producer, behind its last queue offset
   */
  faults(messages: readonly DecodedMessage[], ends: readonly number[], mayForget: boolean, areExpiring: boolean): string[] {
    const faults = [...this.#faults];
    for (let producer = 0; producer < PRODUCERS; producer++) {
      const { topic, queueId } = producerQueue(producer);
      const own = messages.filter((message) => message.topic === topic && message.queueId === queueId);
      const first = areExpiring ? (own[0]?.queueOffset ?? 0) : 0;
      for (const [index, { queueOffset, body }] of own.entries()) {
        const number = first + index;
        const life = this.#lives.findLast(({ starts }) => (starts[producer] ?? 0) <= number);
        const expected = bodyOf(producer, number, life?.round ?? -1);
        if (queueOffset !== number) faults.push(`producer ${producer}: queue offset ${queueOffset} at ${number}`);
        if (!expected.equals(body))
          faults.push(`producer ${producer}: ${Buffer.from(body.subarray(0, 30))} instead of ${expected.subarray(0, 30)}`);
        if (number >= (life?.sentEnds[producer] ?? 0)) faults.push(`producer ${producer}: ${number} never was sent`);
      }
      for (const [index, { round, acknowledgedEnds }] of mayForget ? [] : this.#lives.entries()) {
        const kept = this.#lives[index + 1]?.starts[producer] ?? ends[producer] ?? 0;
        const promised = acknowledgedEnds[producer] ?? 0;
        if (kept < promised)
          faults.push(`producer ${producer}: ${promised} acknowledged in round ${round}, ${kept} there after it`);
      }
    }
    const strangers = messages.filter(({ topic }) => !topic.startsWith("crash-") && !DELAYED.includes(topic)).length;
    if (strangers > 0) faults.push(`${strangers} messages of nobody`);
    return faults;
  }
}
