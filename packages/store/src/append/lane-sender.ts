import { HA_TRANSFER_HEADER_LENGTH, writeTransferHeader } from "@millrace/format";
import { DirectSocket } from "@millrace/mapped-file";
import type { ControlBlock, OwnedCounter, ReadableCounter, SendLane, StuckFrame } from "@millrace/shared-memory";
import type { MessageStoreConfig } from "../config/message-store-config.js";
import type { GroupKernel } from "./group-kernel.js";

/** The appender's side of the {@link SendLane}. */
export class LaneSender {
  readonly #lane: SendLane;
  readonly #beganOffset: ReadableCounter;
  readonly #laneOffset: OwnedCounter;
  readonly #bodyLimit: number;

  constructor(config: MessageStoreConfig, { sendLane, counters }: ControlBlock<"append">) {
    this.#lane = sendLane;
    this.#beganOffset = counters.laneBeganOffset;
    this.#laneOffset = counters.laneOffset;
    this.#bodyLimit = config.haTransferBatchSize;
  }

  /**
   * Sends the group that has just been written, and spoils its bytes in the staging area. False: not all of it, or none because the lane is
   * closed or stands elsewhere; replicate is to be asked.
   *
   * @param offset where the group begins in the log
   */
  send(group: Pick<GroupKernel, "transfer">, offset: number): boolean {
    if (!this.#lane.take()) return false;
    let stuck: StuckFrame | undefined;
    try {
      if (offset !== Math.max(this.#beganOffset.get(), this.#laneOffset.value)) return false;
      stuck = this.#sendFrames(group.transfer, offset);
      return stuck === undefined;
    } finally {
      this.#lane.giveBack(stuck); // whatever happens: who closes the lane waits for it
    }
  }

  /** Each frame's header takes the place of the last bytes of the frame before. */
  #sendFrames(transfer: Uint8Array, offset: number): StuckFrame | undefined {
    const { descriptor } = this.#lane;
    const view = new DataView(transfer.buffer, transfer.byteOffset, transfer.length);
    const length = transfer.length - HA_TRANSFER_HEADER_LENGTH;
    for (let at = 0; at < length; ) {
      const bodyLength = Math.min(this.#bodyLimit, length - at);
      writeTransferHeader(view, at, offset + at, bodyLength);
      const frame = transfer.subarray(at, at + HA_TRANSFER_HEADER_LENGTH + bodyLength);
      at += bodyLength;
      this.#laneOffset.set(offset + at); // a report of it may come before the call returns
      const sent = DirectSocket.send(descriptor, frame);
      if (sent < frame.length) return { bodyLength, unsent: frame.length - Math.max(0, sent), errno: Math.min(0, sent) };
    }
    return undefined;
  }
}
