import { importedFiles } from "./imports.js";
import { packageOf, type Rule, type SourceFile, type Violation } from "./source-tree.js";

/** No file of a package, or of the scripts, imports itself through others; type imports count, for the reader they are imports too. */
export const importCycles: Rule = {
  name: "import-cycles",
  check(tree) {
    const found: Violation[] = [];
    const done = new Set<SourceFile>();
    const visit = (file: SourceFile, trail: readonly SourceFile[]): void => {
      const start = trail.indexOf(file);
      if (start >= 0) {
        const cycle = [...trail.slice(start), file].map(({ path }) => path.split("/").at(-1));
        found.push({ path: file.path, line: 0, message: `import cycle: ${cycle.join(" -> ")}` });
      }
      if (done.has(file)) return;
      done.add(file);
      for (const target of importedFiles(tree, file)) visit(target, [...trail, file]);
    };
    for (const file of tree.files) {
      if (packageOf(file.path) !== undefined || file.path.startsWith("scripts/")) visit(file, []);
    }
    return found;
  },
};
