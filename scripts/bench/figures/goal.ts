/** A line of "speed to reach": what was measured, against what was wanted. */
export interface Goal {
  readonly name: string;
  readonly measured: string;
  readonly wanted: string;
  /** undefined: not measured in this run. */
  readonly reached: boolean | undefined;
}

/** @param value undefined: not measured in this run */
export function goalOf(
  name: string,
  wanted: string,
  value: number | undefined,
  show: (value: number) => string,
  isReached: (value: number) => boolean,
): Goal {
  if (value === undefined) return { name, measured: "-", wanted, reached: undefined };
  return { name, measured: show(value), wanted, reached: isReached(value) };
}
