export interface Details {
  readonly storeHost: Uint8Array;
  readonly lengths: readonly number[] | undefined;
}

/** By slot of the ring, what a frame's result cannot tell: only of batches, and of hosts that are not the store's. Main thread. */
export class AckDetails {
  readonly #bySlot: (Details | undefined)[];

  constructor(frameCapacity: number) {
    this.#bySlot = new Array<Details | undefined>(frameCapacity).fill(undefined);
  }

  set(slot: number, storeHost: Uint8Array, lengths?: readonly number[]): void {
    this.#bySlot[slot] = { storeHost, lengths };
  }

  get(slot: number): Details | undefined {
    return this.#bySlot[slot];
  }

  drop(slot: number): void {
    if (this.#bySlot[slot] !== undefined) this.#bySlot[slot] = undefined;
  }
}
