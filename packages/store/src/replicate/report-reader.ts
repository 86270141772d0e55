import { getInt64, HA_REPORT_LENGTH } from "@millrace/format";

/** A master's side of the wire: reports, however they are split. */
export class ReportReader {
  readonly #bytes = new Uint8Array(HA_REPORT_LENGTH);
  readonly #view = new DataView(this.#bytes.buffer);
  #filled = 0;

  /**
   * @param onReport hears of each report, in order; what it throws ends the reading
   */
  push(chunk: Uint8Array, onReport: (offset: number) => void): void {
    for (let i = 0; i < chunk.length; ) {
      const taken = Math.min(chunk.length - i, HA_REPORT_LENGTH - this.#filled);
      this.#bytes.set(chunk.subarray(i, i + taken), this.#filled);
      this.#filled += taken;
      i += taken;
      if (this.#filled < HA_REPORT_LENGTH) return;
      this.#filled = 0;
      onReport(getInt64(this.#view, 0));
    }
  }
}
