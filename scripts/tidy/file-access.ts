import { importsOf } from "./imports.js";
import { packageOf, type Rule } from "./source-tree.js";

const FILE_ACCESS = /^(?:(?:node:)?fs(?:\/promises)?|@millrace\/mmap-io)$/;

/** May look whether a directory is there; it reaches no store data. */
const EXEMPT = "cli";

/** One seam to the OS: what opens, maps or locks files is in packages/mapped-file. */
export const fileAccess: Rule = {
  name: "file-access",
  check(tree) {
    return tree.files
      .filter(({ path }) => !["mapped-file", EXEMPT].includes(packageOf(path) ?? EXEMPT))
      .flatMap((file) =>
        importsOf(file)
          .filter(({ specifier }) => FILE_ACCESS.test(specifier))
          .map(({ specifier, line }) => ({
            path: file.path,
            line,
            message: `only packages/mapped-file reaches files, import=${specifier}`,
          })),
      );
  },
};
