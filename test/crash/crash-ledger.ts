import { existsSync, readFileSync } from "node:fs";
import type { DecodedMessage } from "@millrace/format";
import { bodyOf, PRODUCERS, producerQueue } from "./crash-job.js";

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

/** All that is known of a directory from outside: which life sent and was promised what. */
export class CrashLedger {
  readonly #lives: Life[] = [];

  /** A line that the kill cut off was not written. */
  add(round: number, path: string): void {
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
    const [open, ...rest] = lines.map((line) => line.split(" "));
    if (open === undefined) return;
    const starts = open.slice(1).map(Number);
    const life: Life = { round, starts, sentEnds: [...starts], acknowledgedEnds: [...starts] };
    for (const [what, producer, first, count] of rest) {
      const ends = what === "sent" ? life.sentEnds : life.acknowledgedEnds;
      ends[Number(producer)] = Number(first) + Number(count);
    }
    this.#lives.push(life);
  }

  get messagesAcknowledged(): number {
    let sum = 0;
    for (const { starts, acknowledgedEnds } of this.#lives)
      sum += acknowledgedEnds.reduce((all, end, i) => all + end - (starts[i] ?? 0), 0);
    return sum;
  }

  /**
   * What is wrong with a recovered log; empty when nothing is. Of each producer it must hold 0, 1, 2, … once each, in this order, each as the
   * life sent it that was there for this number, and (unless `mayForget`) all that was acknowledged.
   */
  faults(messages: readonly DecodedMessage[], mayForget: boolean): string[] {
    const faults: string[] = [];
    for (let producer = 0; producer < PRODUCERS; producer++) {
      const { topic, queueId } = producerQueue(producer);
      const own = messages.filter((message) => message.topic === topic && message.queueId === queueId);
      for (const [number, { queueOffset, body }] of own.entries()) {
        const life = this.#lives.findLast(({ starts }) => (starts[producer] ?? 0) <= number);
        const expected = bodyOf(producer, number, life?.round ?? -1);
        if (queueOffset !== number) faults.push(`producer ${producer}: queue offset ${queueOffset} at ${number}`);
        if (!expected.equals(body))
          faults.push(`producer ${producer}: ${Buffer.from(body.subarray(0, 30))} instead of ${expected.subarray(0, 30)}`);
        if (number >= (life?.sentEnds[producer] ?? 0)) faults.push(`producer ${producer}: ${number} never was sent`);
      }
      for (const [index, { round, acknowledgedEnds }] of mayForget ? [] : this.#lives.entries()) {
        const kept = this.#lives[index + 1]?.starts[producer] ?? own.length;
        const promised = acknowledgedEnds[producer] ?? 0;
        if (kept < promised)
          faults.push(`producer ${producer}: ${promised} acknowledged in round ${round}, ${kept} there after it`);
      }
    }
    const strangers = messages.filter(({ topic }) => !topic.startsWith("crash-")).length;
    if (strangers > 0) faults.push(`${strangers} messages of nobody`);
    return faults;
  }
}
