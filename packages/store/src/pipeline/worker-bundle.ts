import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { createStorage } from "@millrace/mapped-file";

/** The packages that a service thread imports; each notes when it was compiled. */
const PACKAGES = ["format", "kernels", "shared-memory", "mapped-file", "store"];
/** Who hooks into the loading of modules expects modules. */
const HOOKS = /--(import|require|loader|experimental-loader)\b/;

/**
 * Where the set-up has made one file of a service's module and all that it imports, and nothing has been compiled since, that file: its
 * thread starts in half the time. Otherwise the module itself.
 */
export function bundleOf(worker: URL): URL {
  if ([...process.execArgv, process.env.NODE_OPTIONS ?? ""].some((flag) => HOOKS.test(flag))) return worker;
  const storage = createStorage({ kind: "real" });
  const changedMs = (url: URL): number | undefined => storage.entry(fileURLToPath(url))?.modifiedMs;
  const bundle = new URL(`../bundled/${basename(worker.pathname)}`, import.meta.url);
  const madeMs = changedMs(bundle);
  if (madeMs === undefined) return worker;
  const isFresh = PACKAGES.every((name) => {
    const compiled = new URL(`../../../${name}/dist/.tsbuildinfo`, import.meta.url);
    return (changedMs(compiled) ?? 0) <= madeMs;
  });
  return isFresh ? bundle : worker;
}
