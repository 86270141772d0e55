import type { MessageView } from "../read/message-view.js";

/**
 * Consecutive messages of one queue: copies, valid for as long as they are wanted. The messages of a batch share one buffer, which one
 * of them keeps alive: to keep a few of many for long, use {@link MessageView.copy}. At least one; only a consumer with a filter gives a
 * batch without messages when it has looked at a thousand others, so that `nextOffset` can be committed.
 */
export class ConsumedBatch implements Iterable<MessageView> {
  /** In the order of their queue offsets. */
  readonly messages: readonly MessageView[];
  /** Queue offset to go on with: what {@link ConsumerOffsets.commit} takes once the batch is done. */
  readonly nextOffset: number;
  /**
   * Queue offsets that were passed over since the batch before because retention had deleted their messages; 0 as a rule. With a
   * filter only what nobody could look at any more counts.
   */
  readonly skipped: number;

  /** Corrupt records that were passed over since the batch before; always 0 without `onCorrupt: "skip"`. */
  readonly corrupt: number;
  /**
   * Names the life of the queue that the messages are of: {@link ConsumerOffsets.commit} takes it too. A queue that was deleted and
   * begins again has another. Good while the store is open.
   */
  readonly queueLife: number;

  /** @internal */
  constructor(messages: readonly MessageView[], nextOffset: number, skipped: number, corrupt: number, queueLife: number) {
    this.messages = messages;
    this.nextOffset = nextOffset;
    this.skipped = skipped;
    this.corrupt = corrupt;
    this.queueLife = queueLife;
  }

  /** The messages, in the order of their queue offsets. */
  [Symbol.iterator](): Iterator<MessageView> {
    return this.messages[Symbol.iterator]();
  }
}
