import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "@millrace/format";
import { createStorage } from "@millrace/mapped-file";

/** The packages that are bundled; each notes from what it was compiled. */
const PACKAGES = ["format", "kernels", "shared-memory", "mapped-file", "stats", "store"];
/** Who hooks into the loading of modules expects modules. */
const HOOKS = /--(import|require|loader|experimental-loader)\b/;
/** Yarn's hooks only find packages, which the bundles look for too. */
const PLUG_N_PLAY = /--(require|experimental-loader)[= ]\S*\.pnp\.(cjs|loader\.mjs)/g;

const storage = createStorage({ kind: "real" });

/**
 * Where the set-up has made one file of a service's module and all that it imports, and nothing has been compiled since, that file: its
 * thread starts in half the time. Otherwise the module itself.
 */
export function bundlesOf(): (worker: URL) => URL {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ").replace(PLUG_N_PLAY, "");
  if (HOOKS.test(flags) || compiledStamp() !== bundledStamp()) return (worker) => worker;
  return (worker) => {
    const bundle = new URL(`../bundled/${basename(worker.pathname, ".js")}.cjs`, import.meta.url);
    return storage.entry(fileURLToPath(bundle)) === undefined ? worker : bundle;
  };
}

/** What the packages were compiled from, as one line; the set-up notes it beside the bundles. Empty where they are installed. @forTests */
export function compiledStamp(): string {
  const notes = PACKAGES.map((name) => contentOf(`../../../${name}/dist/.tsbuildinfo`));
  return notes
    .map((note) => (note === undefined ? "" : (crc32(note) >>> 0).toString(16)))
    .join(" ")
    .trim();
}

function bundledStamp(): string {
  const note = contentOf("../bundled/stamp.txt");
  return note === undefined ? "" : (new TextDecoder().decode(note).split("\n")[0] ?? "");
}

function contentOf(path: string): Uint8Array | undefined {
  return storage.readSmall(fileURLToPath(new URL(path, import.meta.url)));
}
