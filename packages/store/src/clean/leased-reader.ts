/** What the cleaner notifies the consumer groups of. */
export interface GroupOffsets {
  /** The topic's queues, or one of them, begin again at 0. */
  forget(topic: string, queueId?: number): void;
  /** Resolves when that is durable. */
  persist(): Promise<void>;
}

/** What the cleaner asks of the reader on main, and notifies it of. */
export interface LeasedReader {
  /** Segments below `minOffset` are not read any more: unmapped, the leased ones with their last lease. */
  forget(minOffset: number): void;
  /** Start of the oldest segment that is leased. */
  heldFrom(): number | undefined;
  /** When the record at an offset was stored, in milliseconds; undefined when there is none that can be read. */
  storeTimestampAt(offset: number): number | undefined;
  /** Ends the leases below an offset: their views become empty. */
  releaseByForce(belowOffset: number): void;
  /** Files of ConsumeQueues and index that held nothing but what is below the front of the log have been deleted. */
  forgetExpired(): void;
  /** The queue in this slot was deleted. */
  forgetQueue(slot: number): void;
}
