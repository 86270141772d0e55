/**
 * When which offset was reached: the appender leaves a mark per group, the flusher reads them to learn how long bytes waited for their
 * force. A lagging reader loses the oldest marks, never blocks the writer.
 *
 * ```text
 *   f64 cells, mark n at 3 · (n mod MARKS):   +0 end offset   +1 microseconds   +2 messages
 * ```
 *
 * How many marks were written is the counter `appendMarks`.
 */
const MARKS = 4096;
const MARK_CELLS = 3;

export const APPEND_MARKS_LENGTH = MARKS * MARK_CELLS * Float64Array.BYTES_PER_ELEMENT;

export class AppendMarks {
  readonly #cells: Float64Array;
  #read = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Float64Array(buffer);
  }

  /** Appender only, before it counts mark `n`. */
  leave(n: number, endOffset: number, us: number, messages: number): void {
    const cell = (n % MARKS) * MARK_CELLS;
    this.#cells[cell] = endOffset;
    this.#cells[cell + 1] = us;
    this.#cells[cell + 2] = messages;
  }

  /** Flusher only: hands out the marks up to `offset` that it has not seen; `marks` is the counter's value. */
  collect(marks: number, offset: number, each: (us: number, messages: number) => void): void {
    // A mark of the half that is about to be overwritten may be torn: skip it.
    if (marks - this.#read > MARKS / 2) this.#read = marks - MARKS / 2;
    for (; this.#read < marks; this.#read++) {
      const cell = (this.#read % MARKS) * MARK_CELLS;
      if ((this.#cells[cell] as number) > offset) return;
      each(this.#cells[cell + 1] as number, this.#cells[cell + 2] as number);
    }
  }
}
