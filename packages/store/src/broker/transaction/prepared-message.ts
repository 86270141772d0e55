import type { PutMessageResult, RefusedPutResult } from "../../put/put-message-result.js";
import type { MessageView } from "../../read/message-view.js";

/** Names a half message. Plain values: it can be kept, sent, and used after a restart. */
export interface PreparedMessage {
  /** Of the half message's record, in bytes. */
  readonly physicalOffset: number;
  /** In the queue of half messages. */
  readonly queueOffset: number;
  readonly msgId: string;
}

/** A {@link PutMessageResult}, and the name of the half message when it is in the log. */
export type PrepareMessageResult =
  | (Exclude<PutMessageResult, RefusedPutResult> & { readonly prepared: PreparedMessage })
  | (RefusedPutResult & { readonly prepared: null });

/** A half message that was neither committed nor rolled back. */
export interface UndecidedMessage {
  readonly prepared: PreparedMessage;
  /** Where it goes when it is committed. */
  readonly topic: string;
  readonly queueId: number;
  /** Milliseconds: when it was prepared. */
  readonly storeTimestamp: number;
  /** A copy of it, with topic, queue, body, tags, keys and properties as it was given; its offsets are the half message's. */
  readonly message: MessageView;
}

/** What {@link MessageStore.undecidedMessages} takes. */
export interface UndecidedRequest {
  /** Only those that were prepared at least so many milliseconds ago. Default 0. */
  readonly olderThanMs?: number;
  /** At most so many. Default: all. */
  readonly limit?: number;
  /** Ends the list. */
  readonly signal?: AbortSignal;
}
