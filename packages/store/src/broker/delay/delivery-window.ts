/** Bounds the bytes that are being put at a time: however large, one message always fits. */
export class DeliveryWindow {
  readonly #limit: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#limit;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}
