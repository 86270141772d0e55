import { strict as assert } from "node:assert";
import type { MessageStore } from "@millrace/store";

/** All that a queue has, by queue offset, as texts. Throws where one is missing. */
export function bodiesOf(store: MessageStore, topic: string, queueId: number): string[] {
  const bodies: string[] = [];
  for (let queueOffset = 0; queueOffset < store.getMaxOffsetInQueue(topic, queueId); queueOffset = bodies.length) {
    using found = store.getMessage({ topic, queueId, queueOffset, maxMessages: 32 });
    assert.equal(found.status, "FOUND");
    for (const message of found.messages) {
      assert.equal(message.queueOffset, bodies.length);
      bodies.push(textOf(message));
    }
  }
  return bodies;
}

export function textOf({ body }: { readonly body: Uint8Array }): string {
  return Buffer.from(body).toString();
}
