/** `npm run pack [-- directory]`: the tarballs of all packages, in `tarballs/` unless a directory is named. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { packAll } from "./tarballs.js";

const root = join(import.meta.dirname, "..", "..", "..");
const target = resolve(process.argv[2] ?? join(root, "tarballs"));
mkdirSync(target, { recursive: true });
for (const tarball of (await packAll(root, target)).values()) process.stdout.write(`${tarball}\n`);
