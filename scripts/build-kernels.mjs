/** Compiles packages/kernels/assembly into a module that carries the WebAssembly, unless neither it nor a layout has changed. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const DESCRIPTORS = ["packages/format/src/message-descriptor.ts", "packages/shared-memory/src/put-ring-descriptor.ts"];
const FLAGS = ["-O3", "--noAssert", "--runtime", "stub", "--importMemory", "--sharedMemory", "--enable", "threads"];
/** In pages, for the compiler only: the memory says how large it is. */
const MEMORY = ["--initialMemory", "1", "--maximumMemory", "65536"];

/** @returns what the compiler said, if it failed */
export function buildKernels(root) {
  const kernels = join(root, "packages", "kernels");
  const assembly = readdirSync(join(kernels, "assembly")).map((name) => join("packages/kernels/assembly", name));
  const sources = [...assembly, "packages/kernels/src/kernel-memory-descriptor.ts", ...DESCRIPTORS].sort();
  const hash = createHash("sha256").update([...FLAGS, ...MEMORY].join(" "));
  for (const file of sources) hash.update(readFileSync(join(root, file)));
  const stamp = `// ${hash.digest("hex")}\n`;
  const output = join(kernels, "dist", "kernel-binary.js");
  if (existsSync(output) && readFileSync(output, "utf8").startsWith(stamp)) return undefined;
  const compiled = join(kernels, "dist", "kernels.wasm");
  const asc = join(kernels, "node_modules", "assemblyscript", "bin", "asc.js");
  const args = [asc, "packages/kernels/assembly/index.ts", "-o", compiled, ...FLAGS, ...MEMORY];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0 || stderr !== "") return `${stdout}${stderr}`;
  writeFileSync(output, `${stamp}export const KERNELS = "${readFileSync(compiled).toString("base64")}";\n`);
  return undefined;
}
