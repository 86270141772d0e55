import { importsOf } from "./imports.js";
import { packageOf, type Rule, type SourceFile, type Violation } from "./source-tree.js";

/** Which packages each package may know. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  format: [],
  kernels: [],
  "shared-memory": [],
  "mmap-io": [],
  "mapped-file": ["format", "mmap-io"],
  stats: ["shared-memory", "format"],
  store: ["kernels", "mapped-file", "shared-memory", "format", "stats"],
  dashboard: ["store", "stats", "shared-memory", "format"],
  cli: ["dashboard", "store", "stats", "shared-memory"],
  millrace: ["store", "cli", "dashboard"],
};

function checkFile(file: SourceFile, from: string): Violation[] {
  const found: Violation[] = [];
  for (const { specifier, line } of importsOf(file)) {
    const [, to] = /^@millrace\/([^/]+)/.exec(specifier) ?? [];
    if (to !== undefined && to !== from && !ALLOWED[from]?.includes(to)) {
      found.push({ path: file.path, line, message: `${from} must not depend on ${to}` });
    }
    if (specifier.startsWith("#")) {
      found.push({ path: file.path, line, message: `what a package does not export is for tests, import=${specifier}` });
    }
    const climbs = specifier.split("/").filter((part) => part === "..").length;
    if (specifier.startsWith(".") && climbs > file.path.split("/").length - 4) {
      found.push({ path: file.path, line, message: `a relative import stays in its package's src, import=${specifier}` });
    }
  }
  return found;
}

export const dependencyDirection: Rule = {
  name: "dependency-direction",
  check(tree) {
    const found: Violation[] = [];
    for (const file of tree.files) {
      const from = packageOf(file.path);
      if (from !== undefined) found.push(...checkFile(file, from));
    }
    for (const [from, manifest] of tree.manifests) {
      const path = `packages/${from}/package.json`;
      if (ALLOWED[from] === undefined)
        found.push({ path, line: 0, message: "a package that the table of dependencies does not know" });
      for (const dependency of Object.keys(manifest.dependencies ?? {})) {
        const to = /^@millrace\/(.+)$/.exec(dependency)?.[1];
        if (to !== undefined && !ALLOWED[from]?.includes(to)) {
          found.push({ path, line: 0, message: `${from} must not depend on ${to}` });
        }
      }
    }
    return found;
  },
};
