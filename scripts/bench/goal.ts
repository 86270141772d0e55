/** A line of "speed to reach": what was measured, against what was wanted. */
export interface Goal {
  readonly name: string;
  readonly measured: string;
  readonly wanted: string;
  /** undefined: not measured in this run. */
  readonly reached: boolean | undefined;
}
