import { matches, type Rule } from "./source-tree.js";

/** Only the command line and the scripts talk. */
export const consoleUse: Rule = {
  name: "console-use",
  check(tree) {
    return tree.files
      .filter(({ path }) => !path.startsWith("packages/cli/") && !path.startsWith("scripts/"))
      .flatMap((file) => matches(file, file.code, /\bconsole\s*\./g, () => "console is for packages/cli and scripts"));
  },
};
