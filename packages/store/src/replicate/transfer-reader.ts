import { getInt64, HA_BODY_LIMIT, HA_BODY_SIZE_OFFSET, HA_TRANSFER_HEADER_LENGTH, MillraceError } from "@millrace/format";

/** What the bytes of a chunk are. */
export interface TransferSink {
  /** A frame begins; its body need not be there yet. 0 bytes: a sign of life. */
  onHeader(offset: number, length: number): void;
  /** The next bytes of the body; a view, good until this returns. */
  onBody(bytes: Uint8Array): void;
}

/** A slave's side of the wire: transfers, however they are split. Keeps nothing of a body. */
export class TransferReader {
  readonly #header = new Uint8Array(HA_TRANSFER_HEADER_LENGTH);
  readonly #view = new DataView(this.#header.buffer);
  #filled = 0;
  /** Of the body under way. */
  #rest = 0;

  /** @throws MillraceError `ERR_HA_PROTOCOL`, and what the sink throws */
  push(chunk: Uint8Array, sink: TransferSink): void {
    for (let i = 0; i < chunk.length; ) {
      if (this.#rest > 0) {
        const taken = Math.min(chunk.length - i, this.#rest);
        this.#rest -= taken;
        sink.onBody(chunk.subarray(i, i + taken));
        i += taken;
        continue;
      }
      const taken = Math.min(chunk.length - i, HA_TRANSFER_HEADER_LENGTH - this.#filled);
      this.#header.set(chunk.subarray(i, i + taken), this.#filled);
      this.#filled += taken;
      i += taken;
      if (this.#filled === HA_TRANSFER_HEADER_LENGTH) this.#begin(sink);
    }
  }

  #begin(sink: TransferSink): void {
    this.#filled = 0;
    const offset = getInt64(this.#view, 0);
    const length = this.#view.getInt32(HA_BODY_SIZE_OFFSET);
    if (!Number.isSafeInteger(offset) || offset < 0 || length < 0 || length > HA_BODY_LIMIT) {
      throw new MillraceError("ERR_HA_PROTOCOL", `this is no transfer: offset=${offset} length=${length}`);
    }
    sink.onHeader(offset, length);
    this.#rest = length;
  }
}
