import { importsOf } from "./imports.js";
import { packageOf, type Rule } from "./source-tree.js";

const FILE_ACCESS = /^(?:(?:node:)?fs(?:\/promises)?|@millrace\/mmap-io)$/;

/** They reach no store data: the command looks whether a directory is there, the page is served from files of its own. */
const EXEMPT = new Set(["cli", "dashboard", "mapped-file"]);

/** One seam to the OS: what opens, maps or locks files is in packages/mapped-file. */
export const fileAccess: Rule = {
  name: "file-access",
  check(tree) {
    return tree.files
      .filter(({ path }) => !EXEMPT.has(packageOf(path) ?? "cli"))
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
