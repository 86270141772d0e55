import { matches, packageOf, type Rule, type SourceFile, type Violation } from "./source-tree.js";

const WALL_CLOCK = "packages/shared-memory/src/wall-clock.ts";
const MONOTONIC_CLOCK = "packages/shared-memory/src/monotonic-clock.ts";

function outside(home: string, file: SourceFile, pattern: RegExp): Violation[] {
  return file.path === home ? [] : matches(file, file.code, pattern, (found) => `only ${home} reads this clock, found=${found}`);
}

/** Each of the two clocks has one home: so it is seen which one an interval is measured by. */
export const clocks: Rule = {
  name: "clocks",
  check(tree) {
    return tree.files
      .filter(({ path }) => packageOf(path) !== undefined)
      .flatMap((file) => [
        ...outside(WALL_CLOCK, file, /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\btimeOrigin\b/g),
        ...outside(MONOTONIC_CLOCK, file, /\bperformance\.now\b|\bhrtime\b|\buptime\(/g),
      ]);
  },
};
