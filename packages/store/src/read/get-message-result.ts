import type { GetMessageStatus } from "@millrace/format";
import type { MessageView } from "./message-view.js";
import type { ReadSegment } from "./read-segment.js";

/** What a get found, with a lease on the memory it lies in. (RocketMQ: `GetMessageResult`.) */
export class GetMessageResult implements Disposable {
  readonly status: GetMessageStatus;
  /** Queue offset to go on with. */
  readonly nextBeginOffset: number;
  /** The queue's first queue offset, and one past its last. */
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Views of the log itself, in memory that all gets share: valid until {@link release}, and not to be written to. */
  readonly messages: readonly MessageView[];
  /** Bytes of the records. */
  readonly bufferTotalSize: number;
  /** The reader is farther behind than memory holds. */
  readonly suggestPullingFromSlave: boolean;
  #segments: readonly ReadSegment[];

  /** @internal @param segments each held once */
  constructor(
    status: GetMessageStatus,
    nextBeginOffset: number,
    minOffset: number,
    maxOffset: number,
    messages: readonly MessageView[],
    bufferTotalSize: number,
    suggestPullingFromSlave: boolean,
    segments: readonly ReadSegment[],
  ) {
    this.status = status;
    this.nextBeginOffset = nextBeginOffset;
    this.minOffset = minOffset;
    this.maxOffset = maxOffset;
    this.messages = messages;
    this.bufferTotalSize = bufferTotalSize;
    this.suggestPullingFromSlave = suggestPullingFromSlave;
    this.#segments = segments;
  }

  /** The messages in memory of their own, one buffer that they share: a few of many are kept for long with {@link MessageView.copy}. */
  copyMessages(): MessageView[] {
    const target = Buffer.allocUnsafeSlow(this.bufferTotalSize);
    let position = 0;
    return this.messages.map((message) => {
      const copy = message.copyInto(target, position);
      position += message.size;
      return copy;
    });
  }

  /** Gives the lease back; may be called again. What has not been released holds back the deletion of the segments it lies in. */
  release(): void {
    const segments = this.#segments;
    this.#segments = [];
    for (const segment of segments) segment.release();
  }

  /** {@link release}, at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }
}
