import { existsSync, readFileSync, writeSync } from "node:fs";
import type { Message, PutMessageResult } from "@millrace/store";
import type { Finding } from "./finding.js";
import { knownLine, type ShownStore } from "./shown-store.js";

/** What a load life writes down, at once: before a put, and when it was acknowledged. */
export class PutLedger {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  sent(message: Message): void {
    writeSync(this.#fd, `sent ${sentName(message.topic, message.queueId, message.body)}\n`);
  }

  acknowledged(message: Message, { appendResult }: PutMessageResult): void {
    if (appendResult === null) return;
    const { wroteOffset: physicalOffset, queueOffset, storeTimestamp } = appendResult;
    writeSync(
      this.#fd,
      `acknowledged ${knownLine({ ...message, keys: [message.keys ?? []].flat(), physicalOffset, queueOffset, storeTimestamp })}\n`,
    );
  }
}

function sentName(topic: string, queueId: number, body: Uint8Array): string {
  return knownLine({ topic, queueId, queueOffset: 0, physicalOffset: 0, storeTimestamp: 0, body });
}

/** All that is known from outside of puts since a store was last looked at. */
export class PutHistory {
  readonly #sent = new Set<string>();
  readonly #acknowledged: string[] = [];

  /** A line that a kill cut off was not written. */
  constructor(ledgers: readonly string[], sentOnly: readonly string[]) {
    for (const path of [...ledgers, ...sentOnly]) {
      const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
      for (const line of lines) {
        const at = line.indexOf(" ");
        if (line.startsWith("sent ")) this.#sent.add(withoutPlace(line.slice(at + 1)));
        else if (ledgers.includes(path)) this.#acknowledged.push(line.slice(at + 1));
      }
    }
  }

  /** Whether a message with this line was sent by somebody. */
  readonly mayBeThere = (line: string): boolean => this.#sent.has(withoutPlace(line.split("#")[0] as string));

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  /** What was acknowledged and is not shown, as it was acknowledged; what is refused with a code is no loss. */
  losses(shown: ShownStore): Finding[] {
    const lost: string[] = [];
    for (const line of this.#acknowledged) {
      const [, topic, queueId, queueOffset] = line.split("|");
      const queue = shown.queues[`${topic}-${queueId}`];
      const is = queue?.messages[Number(queueOffset) - queue.min];
      if (is?.split("#")[0] !== line && is?.startsWith("!") !== true)
        lost.push(`acknowledged and lost: ${line}, there is ${is?.split("#")[0] ?? "nothing"}`);
    }
    return lost.map((what) => ({ verdict: "WRONG", what }));
  }
}

/** Topic, queue, and hash of the body. */
function withoutPlace(line: string): string {
  const [, topic, queueId, ...rest] = line.split("|");
  return [topic, queueId, rest.at(-1)].join("|");
}
