import type { LoadMessage, LoadPutResult } from "./load-target.js";

export interface PutSlotOwner {
  settled(slot: PutSlot, result: LoadPutResult): void;
  rejected(slot: PutSlot, error: unknown): void;
}

/**
 * One put in flight: its messages and its two callbacks are made once and used again, so that a put costs no allocation here. Its
 * messages are the store's from the put until it settles.
 */
export class PutSlot {
  readonly messages: LoadMessage[];
  unit = 0;
  sentUs = 0;
  readonly onSettled: (result: LoadPutResult) => void;
  readonly onRejected: (error: unknown) => void;

  constructor(messages: LoadMessage[], owner: PutSlotOwner) {
    this.messages = messages;
    this.onSettled = (result) => owner.settled(this, result);
    this.onRejected = (error) => owner.rejected(this, error);
  }
}
