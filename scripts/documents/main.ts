/** `npm run docs`: writes the pages that follow from the sources. A test compares them with what is checked in. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PAGES } from "./pages.js";

const root = join(import.meta.dirname, "..", "..", "..");

for (const [path, page] of Object.entries(PAGES)) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, page());
  process.stdout.write(`${path}\n`);
}
