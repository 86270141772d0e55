import { matches, type Rule } from "./source-tree.js";

/** Tests that need what a machine may lack are left out there, with the reason, and nowhere else. */
const HOME_OF_SKIP = "test/support/test-if.ts";

/** No notes for later, and no test that is left out or runs alone. */
export const unfinishedWork: Rule = {
  name: "unfinished-work",
  check(tree) {
    return tree.files.flatMap((file) => [
      ...matches(file, file.comments, /\b(?:TODO|FIXME|XXX|HACK)\b/g, (word) => `finish it or leave it out, found=${word}`),
      ...matches(
        file,
        file.code,
        file.path === HOME_OF_SKIP
          ? /\btest(?:\.\w+)*\.(?:only|todo|failing)\b/g
          : /\btest(?:\.\w+)*\.(?:only|skip|todo|failing)\b/g,
        (call) => `every test runs and passes, found=${call}`,
      ),
    ]);
  },
};
