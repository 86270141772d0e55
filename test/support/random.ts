/** Numbers from 0 up to `below`, the same ones for the same seed. */
export type Random = (below: number) => number;

/** mulberry32 */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** From the environment, to repeat a run, or a new one; a test prints the seed that it took. */
export function chosenSeed(): number {
  return Number(process.env.MILLRACE_SEED ?? Math.floor(Math.random() * 2 ** 31));
}
