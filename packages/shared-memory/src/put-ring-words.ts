import { initializeCounter, OwnedCounter, ReadableCounter } from "./counter.js";
import { PUT_RING_WORDS, type PutRingBuffers, type PutRingSide, type PutRingWordName, putRingWord } from "./put-ring-buffers.js";

/** The words of a put ring as one side sees them: its own can be set, the others only read. See {@link PUT_RING_WORDS}. */
export type PutRingWords<S extends PutRingSide> = {
  readonly [N in PutRingWordName]: (typeof PUT_RING_WORDS)[N]["owner"] extends S ? OwnedCounter : ReadableCounter;
};

/** @throws InvariantError when another thread has been this side */
export function putRingWords<S extends PutRingSide>({ words }: Pick<PutRingBuffers, "words">, side: S): PutRingWords<S> {
  const found: Record<string, ReadableCounter> = {};
  for (const name of Object.keys(PUT_RING_WORDS) as PutRingWordName[]) {
    const { owner, kind } = PUT_RING_WORDS[name];
    const word = putRingWord(name);
    found[name] = owner === side ? new OwnedCounter(words, word, name, kind) : new ReadableCounter(words, word);
  }
  return found as PutRingWords<S>;
}

/** A ring that nobody uses, empty again, for the next producer: its frames begin at `start`. */
export function resetPutRing({ words, frames, results, totals, putToAckUs }: PutRingBuffers, start = 0): void {
  for (const region of [words, frames, results, totals, putToAckUs]) region.fill(0);
  for (const name of ["tail", "head", "resultTail"] as const) initializeCounter(words, putRingWord(name), start);
}
