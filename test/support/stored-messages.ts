import type { MessageStore } from "@millrace/store";

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
