/**
 * `npm run test:install [-- name …]`: packs the packages and installs them as a stranger would, with each package manager, in a fresh
 * directory, without a compiler and without scripts; then, with npm (`runners`), lets it live in runners and in a bundle. `npm test` does
 * it with npm and pnpm.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INSTALLERS } from "./installer.js";
import { lintPackage } from "./package-lint.js";
import { type Row, tryManager } from "./row.js";
import { tryRunners } from "./runners.js";
import { packAll } from "./tarballs.js";

const root = join(import.meta.dirname, "..", "..", "..");
const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "millrace-tarballs-"));
const rows: Row[] = [];
const runners: string[] = [];
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
  const [npm] = INSTALLERS;
  if (npm !== undefined && (wanted.length === 0 || wanted.includes("runners")))
    runners.push(...(await tryRunners(root, tarballs, npm)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (rows.length > 0) console.table(rows);
if (runners.length > 0) console.log(`a store lives in: ${runners.join("; ")}`);
