import { importsOf } from "./imports.js";
import { packageOf, type Rule } from "./source-tree.js";

const FILE_ACCESS = /^(?:(?:node:)?fs(?:\/promises)?|@millrace\/mmap-io)$/;

/** May look whether a directory is there, or read the files of a page that it serves; they reach no store data. */
const EXEMPT: readonly string[] = ["cli", "dashboard"];

/** One seam to the OS: what opens, maps or locks files is in packages/mapped-file. */
export const fileAccess: Rule = {
  name: "file-access",
  check(tree) {
    return tree.files
      .filter(({ path }) => !["mapped-file", ...EXEMPT, undefined].includes(packageOf(path)))
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
