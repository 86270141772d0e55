const CHUNK_NUMBERS = 65_536;
const PROBLEMS_KEPT = 10;

/**
 * Whether consumers saw every message once and in order: one bit per message number, and the greatest number of each lane. Numbers
 * of a lane ascend, with holes only where a put has failed.
 */
export class SequenceCheck {
  /** Messages that were seen before. */
  duplicates = 0;
  /** Messages that came behind a later one of their lane. */
  outOfOrder = 0;
  /** Messages that were never sent, or to another lane, or that are damaged. */
  foreign = 0;
  /** What is wrong with the first of them. */
  readonly problems: string[] = [];
  readonly #seen: Uint8Array[] = [];
  readonly #greatest: Float64Array;

  constructor(lanes: number) {
    this.#greatest = new Float64Array(lanes).fill(-1);
  }

  /** Notes a message of this lane as consumed. */
  see(lane: number, number: number): void {
    const chunk = this.#chunk(number);
    const at = (number % CHUNK_NUMBERS) >>> 3;
    const bit = 1 << (number & 7);
    if (((chunk[at] as number) & bit) !== 0) {
      this.duplicates++;
      this.note(`message ${number} was consumed twice`);
      return;
    }
    chunk[at] = (chunk[at] as number) | bit;
    const greatest = this.#greatest[lane] as number;
    if (number > greatest) this.#greatest[lane] = number;
    else {
      this.outOfOrder++;
      this.note(`message ${number} was consumed behind message ${greatest}`);
    }
  }

  hasSeen(number: number): boolean {
    const chunk = this.#seen[Math.floor(number / CHUNK_NUMBERS)];
    return chunk !== undefined && ((chunk[(number % CHUNK_NUMBERS) >>> 3] as number) & (1 << (number & 7))) !== 0;
  }

  /** A message that nobody can have sent here. */
  refuse(problem: string): void {
    this.foreign++;
    this.note(problem);
  }

  note(problem: string): void {
    if (this.problems.length < PROBLEMS_KEPT) this.problems.push(problem);
  }

  #chunk(number: number): Uint8Array {
    const index = Math.floor(number / CHUNK_NUMBERS);
    while (this.#seen.length <= index) this.#seen.push(new Uint8Array(CHUNK_NUMBERS / 8));
    return this.#seen[index] as Uint8Array;
  }
}
