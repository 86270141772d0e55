import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** From wherever the compiled test lies. */
export function projectRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, "pnpm-workspace.yaml"))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error(`no project root above directory=${import.meta.dirname}`);
    directory = parent;
  }
  return directory;
}
