import type { Rule, Violation } from "./source-tree.js";

const SAYS_NOTHING = /^(?:utils?|helpers?|commons?|managers?)$/;

/** No names that say nothing about what is inside. (That names are kebab-case is Biome's rule.) */
export const fileNames: Rule = {
  name: "file-names",
  check(tree) {
    const found: Violation[] = [];
    for (const { path } of tree.files) {
      for (const part of path.split("/")) {
        const name = part.replace(/(?:\.test|\.d)?\.(?:ts|mjs|js)$/, "");
        const empty = name.split("-").find((word) => SAYS_NOTHING.test(word));
        if (empty !== undefined) found.push({ path, line: 0, message: `name what is inside instead, name=${part}` });
      }
    }
    return found;
  },
};
