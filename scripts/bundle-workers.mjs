/**
 * Makes of each service thread's module one file with all that it imports: a thread that has to find and compile eighty modules starts
 * half as fast. Source maps lead back to the sources. What is newer than its bundle is loaded module by module
 * (packages/store/src/pipeline/worker-bundle.ts).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** Service threads start no threads. */
const MAIN_ONLY = "export class Piscina {}";
/** The binding belongs to another package, and is found from there. */
const FROM_STORE = "createRequire(import.meta.url)";
const FROM_MAPPED_FILE = `createRequire(${FROM_STORE}.resolve("@millrace/mapped-file"))`;

const WITHOUT = {
  name: "without",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^piscina$/ }, ({ path }) => ({ path, namespace: "without" }));
    onLoad({ filter: /.*/, namespace: "without" }, () => ({ contents: MAIN_ONLY, loader: "js" }));
    onLoad({ filter: /\/mapped-file\/dist\/native-binding\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(FROM_STORE, FROM_MAPPED_FILE),
      loader: "js",
    }));
  },
};

/** Unless the bundles are newer than everything that was compiled. */
export async function bundleWorkers(root) {
  const dist = join(root, "packages", "store", "dist");
  const bundles = join(dist, "bundled");
  const workers = ["append", "flush", "dispatch", "allocate", "replicate"].map((name) => join(dist, name, `${name}-worker.js`));
  if (existsSync(bundles) && statSync(bundles).mtimeMs >= newestOf(join(root, "packages"))) return;
  const fresh = `${bundles}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh);
  await build({
    entryPoints: workers,
    entryNames: "[name]",
    outdir: fresh,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: true,
    sourcesContent: false,
    logLevel: "error",
    plugins: [WITHOUT],
  });
  rmSync(bundles, { recursive: true, force: true });
  renameSync(fresh, bundles);
}

/** When one of the packages was compiled last. */
function newestOf(packages) {
  const times = readdirSync(packages).flatMap((name) => {
    const files = [join(packages, name, "dist", ".tsbuildinfo"), join(packages, name, "dist", "kernel-binary.js")];
    return files.filter((file) => existsSync(file)).map((file) => statSync(file).mtimeMs);
  });
  return Math.max(...times);
}
