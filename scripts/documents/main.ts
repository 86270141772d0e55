/**
 * `npm run docs`: writes the pages that follow from the sources, which a test compares with what is checked in, and the reference of all
 * that users import, which is not checked in, to docs/reference.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PAGES } from "./pages.js";
import { writeReference } from "./reference.js";

const root = join(import.meta.dirname, "..", "..", "..");

for (const [path, page] of Object.entries(PAGES)) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, page());
  process.stdout.write(`${path}\n`);
}

const reference = join("docs", "reference");
const complaints = await writeReference(join(root, reference));
process.stdout.write(`${complaints ?? join(reference, "index.html")}\n`);
if (complaints !== undefined) process.exitCode = 1;
