/**
 * `npm run test:install [-- name …]`: packs the packages and installs them as a stranger would, with each package manager, in a fresh
 * directory, without a compiler and without scripts. `npm test` does it with npm and pnpm.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INSTALLERS } from "./installer.js";
import { lintPackage } from "./package-lint.js";
import { type Row, tryManager } from "./row.js";
import { packAll } from "./tarballs.js";

const root = join(import.meta.dirname, "..", "..", "..");
const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "millrace-tarballs-"));
const rows: Row[] = [];
try {
  const tarballs = await packAll(root, folder);
  for (const [name, tarball] of wanted.length > 0 ? [] : tarballs) {
    for (const finding of await lintPackage(root, tarball)) throw new Error(`${name}: ${finding}`);
  }
  for (const manager of INSTALLERS) {
    if (wanted.length > 0 && !wanted.includes(manager.name)) continue;
    process.stderr.write(`${manager.name} …\n`);
    rows.push(await tryManager(root, tarballs, manager));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.table(rows);
