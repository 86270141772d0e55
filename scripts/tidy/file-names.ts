import type { Rule, Violation } from "./source-tree.js";

const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const SAYS_NOTHING = /^(?:utils?|helpers?|commons?|managers?)$/;

/** Kebab-case, and no names that say nothing about what is inside. */
export const fileNames: Rule = {
  name: "file-names",
  check(tree) {
    const found: Violation[] = [];
    for (const { path } of tree.files) {
      for (const part of path.split("/")) {
        const name = part.replace(/(?:\.test|\.d)?\.(?:ts|mjs|js)$/, "");
        if (!KEBAB_CASE.test(name)) found.push({ path, line: 0, message: `names are kebab-case, name=${part}` });
        const empty = name.split("-").find((word) => SAYS_NOTHING.test(word));
        if (empty !== undefined) found.push({ path, line: 0, message: `name what is inside instead, name=${part}` });
      }
    }
    return found;
  },
};
