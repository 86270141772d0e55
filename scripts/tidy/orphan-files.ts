import { importedFiles } from "./imports.js";
import { packageOf, type Rule, type SourceFile, type SourceTree } from "./source-tree.js";

/** What a browser loads. */
const PAGE_ENTRY = "packages/dashboard/src/page/main.ts";

/** What the package exports, the entries of worker threads and of the page, and the package's commands. */
function isEntry(tree: SourceTree, file: SourceFile): boolean {
  const name = packageOf(file.path) ?? "";
  const bin = tree.manifests.get(name)?.bin ?? {};
  const commands = typeof bin === "string" ? [bin] : Object.values(bin);
  const exported = Object.values(tree.manifests.get(name)?.exports ?? {}).map((one) => one.default);
  const inside = file.path.slice(`packages/${name}/src/`.length);
  const compiled = inside.replace(/\.ts$/, ".js");
  return (
    inside === "index.ts" ||
    file.path === PAGE_ENTRY ||
    exported.includes(`./dist/${compiled}`) ||
    inside.endsWith("-worker.ts") ||
    commands.some((command) => command.replace(/^\.\//, "") === `dist/${compiled}`)
  );
}

/** Every source of a package is reached from an entry of it. */
export const orphanFiles: Rule = {
  name: "orphan-files",
  check(tree) {
    const sources = tree.files.filter((file) => packageOf(file.path) !== undefined);
    const reached = new Set(sources.filter((file) => isEntry(tree, file)));
    for (const file of reached) {
      for (const target of importedFiles(tree, file, true)) reached.add(target);
    }
    return sources
      .filter((file) => !reached.has(file) && !file.path.endsWith(".d.ts"))
      .map(({ path }) => ({ path, line: 0, message: "nothing exported, *-worker.ts or command reaches this file" }));
  },
};
