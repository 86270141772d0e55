/** So many letters of a misspelt name may be wrong, missing, too many or swapped with their neighbour, whatever their case. */
const MOST_EDITS = 2;

/** What a misspelt name was probably meant to be; undefined when no known one is near. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = MOST_EDITS + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const distance = edits(name.toLowerCase(), candidate.toLowerCase());
    if (distance >= least || distance >= candidate.length) continue;
    nearest = candidate;
    least = distance;
  }
  return nearest;
}

/** Damerau's distance with adjacent swaps, row by row. */
function edits(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const insertOrDelete = Math.min(above[column] as number, current[column - 1] as number) + 1;
      let distance = Math.min(insertOrDelete, (above[column - 1] as number) + (isSame ? 0 : 1));
      const isSwap = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwap) distance = Math.min(distance, (before[column - 2] as number) + 1);
      current.push(distance);
    }
    before = above;
    above = current;
  }
  return above[to.length] as number;
}
