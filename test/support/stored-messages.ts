import { setTimeout } from "node:timers/promises";
import type { MessageStore } from "@millrace/store";
import type { ExecutionContext } from "ava";

const DEADLINE_MS = 30_000;

/** Copies of all messages of a queue. */
export function messagesOf(store: MessageStore, topic = "TopicA", queueId = 0) {
  const messages = [];
  for (let queueOffset = store.getMinOffsetInQueue(topic, queueId); ; ) {
    using found = store.getMessage({ topic, queueId, queueOffset });
    if (found.status !== "FOUND") return messages;
    messages.push(...found.messages.map((view) => view.copy()));
    queueOffset = found.nextBeginOffset;
  }
}

/** Looks again and again, until a deadline that a loaded machine keeps too. */
export async function until(t: ExecutionContext, what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > deadline) return t.fail(`not in time: ${what}`);
    await setTimeout(5);
  }
}
