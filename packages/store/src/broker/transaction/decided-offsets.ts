const BITS = 8;
const INITIAL_BYTES = 1024;

/**
 * Which half messages have been decided: all below `from`, and single ones behind it, one bit each. Memory grows with the distance
 * between the oldest undecided half message and the newest decided one: 128 KiB for a million.
 */
export class DecidedOffsets {
  #from: number;
  #count = 0;
  /** Bit n belongs to queue offset #base + n; #base is a multiple of 8. */
  #base: number;
  #bits = new Uint8Array(INITIAL_BYTES);

  constructor(from: number) {
    this.#from = from;
    this.#base = from - (from % BITS);
  }

  /** The first that has not been decided. */
  get from(): number {
    return this.#from;
  }

  /** Decided ones behind `from`. */
  get count(): number {
    return this.#count;
  }

  has(queueOffset: number): boolean {
    return queueOffset < this.#from || this.#isSet(queueOffset);
  }

  add(queueOffset: number): void {
    if (this.has(queueOffset)) return;
    if (queueOffset === this.#from) this.#from++;
    else {
      this.#set(queueOffset);
      this.#count++;
    }
    this.#settle();
  }

  /** All below count as decided: retention has removed them. */
  passTo(queueOffset: number): void {
    while (this.#from < queueOffset) {
      if (this.#count === 0) this.#from = queueOffset;
      else if (this.#isSet(this.#from++) && --this.#count === 0) this.#clear();
    }
    this.#settle();
  }

  #isSet(queueOffset: number): boolean {
    const bit = queueOffset - this.#base;
    return ((this.#bits[Math.floor(bit / BITS)] ?? 0) & (1 << (bit % BITS))) !== 0;
  }

  #set(queueOffset: number): void {
    if (this.#count === 0) this.#base = this.#from - (this.#from % BITS);
    const bit = queueOffset - this.#base;
    const at = Math.floor(bit / BITS);
    if (at >= this.#bits.length) {
      const grown = new Uint8Array(2 ** Math.ceil(Math.log2(at + 1)));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[at] = (this.#bits[at] as number) | (1 << (bit % BITS));
  }

  /** Moves `from` over what is decided, and gives back the bits below it when they are half of all. */
  #settle(): void {
    while (this.#count > 0 && this.#isSet(this.#from)) {
      this.#from++;
      this.#count--;
      if (this.#count === 0) this.#clear();
    }
    const passed = Math.floor((this.#from - this.#base) / BITS);
    if (this.#count === 0 || 2 * passed < this.#bits.length) return;
    this.#bits.copyWithin(0, passed);
    this.#bits.fill(0, this.#bits.length - passed);
    this.#base += passed * BITS;
  }

  #clear(): void {
    if (this.#bits.length > INITIAL_BYTES) this.#bits = new Uint8Array(INITIAL_BYTES);
    else this.#bits.fill(0);
  }
}
