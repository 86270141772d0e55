/** The house rules as a program: one line per violation, exit code 1 when there is any. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { clocks } from "./clocks.js";
import { dependencyDirection } from "./dependency-direction.js";
import { fileAccess } from "./file-access.js";
import { fileNames } from "./file-names.js";
import { layoutNumbers } from "./layout-numbers.js";
import { lengthRatchet } from "./length-ratchet.js";
import { lineLength } from "./line-length.js";
import { orphanFiles } from "./orphan-files.js";
import { rooms } from "./rooms.js";
import { type Rule, readTree } from "./source-tree.js";
import { unfinishedWork } from "./unfinished-work.js";

const RULES: readonly Rule[] = [
  dependencyDirection,
  rooms,
  orphanFiles,
  fileAccess,
  clocks,
  layoutNumbers,
  lengthRatchet,
  lineLength,
  fileNames,
  unfinishedWork,
];

const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "../../..");
if (root.startsWith("-")) {
  console.error(`tidy: no options are taken here, only a folder: ${root}`);
  process.exit(2);
}
const tree = readTree(root);
for (const rule of RULES) {
  for (const { path, line, message } of rule.check(tree)) {
    console.error(`${path}${line > 0 ? `:${line}` : ""}: ${message} (${rule.name})`);
    process.exitCode = 1;
  }
}
