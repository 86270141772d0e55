/**
 * Makes one file with all that it imports of each service thread's module, and few files of what users import: to find and compile eighty
 * modules takes a thread twice as long to start, and two hundred take a program a quarter of a second. A thread's is CommonJS, because
 * the loader of modules alone takes a thread ten milliseconds to start. Piscina is in what users import, and what it runs on its threads is
 * one file: to find its parts takes a twentieth of the CPU of a store's short life, and to install what it depends on longer than the rest.
 * So is what other packages import of shared-memory. Source maps lead back to the sources. What was compiled after its bundle is loaded
 * module by module (packages/store/src/pipeline/worker-bundle.ts); who installs the packages gets the bundles, a checkout the modules of
 * main.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { bundledLicences } from "./bundled-licences.mjs";

const SERVICES = ["append", "flush", "dispatch", "allocate", "replicate"];
const FACES = ["index", "producer", "stats"];
/** Service threads start no threads. */
const WITHOUT_PISCINA = {
  name: "without-piscina",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^piscina$/ }, ({ path }) => ({ path, namespace: "without" }));
    onLoad({ filter: /.*/, namespace: "without" }, () => ({ contents: "export class Piscina {}", loader: "js" }));
  },
};

/** How piscina names the file that its threads run: beside its own, which is not where a bundle is. */
const PISCINA_WORKER = "(0, node_path_1.resolve)(__dirname, 'worker.js')";
const WITH_PISCINA = {
  name: "with-piscina",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]piscina[\\/]dist[\\/]index\.js$/ }, ({ path }) => {
      const parts = readFileSync(path, "utf8").split(PISCINA_WORKER);
      if (parts.length !== 2) throw new Error(`piscina names its worker in another way: path=${path}`);
      return { contents: parts.join("piscinaWorker"), loader: "js" };
    });
  },
};
/** Before modules in which there is CommonJS, with names that no module has. */
const FACE_BANNER = `// Of whom else there is something in it: licences.txt.
import { createRequire as requireOfFace } from "node:module";
import { fileURLToPath as pathOfFace } from "node:url";
const require = requireOfFace(import.meta.url), piscinaWorker = pathOfFace(new URL("./piscina-worker.cjs", import.meta.url));`;

/** Piscina's threads ask for the time of a task only where somebody wants to know it; to load `perf_hooks` takes milliseconds. */
const LAZY_PERF_HOOKS = {
  name: "lazy-perf-hooks",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:perf_hooks$/ }, ({ path }) => ({ path, namespace: "lazy" }));
    onLoad({ filter: /.*/, namespace: "lazy" }, () => ({ contents: "exports.performance = { now: () => performance.now() };" }));
  },
};

/** A module that asks for its own address gets that of the module, not of the bundle: it looks for other files from there. */
const own = (packages) => ({
  name: "own-addresses",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const [name, , ...inside] = relative(packages, path).split(sep);
      if (name === ".." || !text.includes("import.meta.url")) return undefined;
      const address =
        name === "store"
          ? `new URL(${JSON.stringify(["..", ...inside].join("/"))}, import.meta.url).href`
          : `new URL(${JSON.stringify(inside.join("/"))}, urlOf(ofStore(import.meta.url).resolve("@millrace/${name}"))).href`;
      const imports = 'import { createRequire as ofStore } from "node:module"; import { pathToFileURL as urlOf } from "node:url"; ';
      return { contents: `${name === "store" ? "" : imports}${text.replaceAll("import.meta.url", address)}`, loader: "js" };
    });
  },
});

const SHARED = {
  entryNames: "[name]",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: "error",
};
const EXTERNAL = ["@napi-rs/nice"]; // for priorities of threads, which nobody asks for

/** One CommonJS file of each thread's module. */
const bundleServices = (outdir, dist, packages) =>
  build({
    ...SHARED,
    outdir,
    entryPoints: SERVICES.map((name) => join(dist, name, `${name}-worker.js`)),
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    define: { "import.meta.url": "urlOfBundle" },
    banner: { js: 'const urlOfBundle = require("node:url").pathToFileURL(__filename).href;' },
    plugins: [WITHOUT_PISCINA, own(packages)],
  });

const bundlePiscinaWorker = (outdir, piscina) =>
  build({
    ...SHARED,
    outdir,
    entryPoints: { "piscina-worker": join(piscina, "dist", "worker.js") },
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    external: EXTERNAL,
    plugins: [LAZY_PERF_HOOKS],
  });

/** What is imported of a package, in few files. */
const bundleFaces = (outdir, entryPoints, packages) =>
  build({
    ...SHARED,
    outdir,
    entryPoints,
    splitting: true,
    external: EXTERNAL,
    banner: { js: FACE_BANNER },
    plugins: [WITH_PISCINA, own(packages)],
  });

/** `bundled` in a package's `dist`, all of it or nothing. */
async function replaceBundles(dist, makeIn, stamp) {
  const bundles = join(dist, "bundled");
  const fresh = `${bundles}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh);
  const made = await Promise.all(makeIn(fresh));
  writeFileSync(join(fresh, "licences.txt"), bundledLicences(made.map(({ metafile }) => metafile)));
  writeFileSync(join(fresh, "stamp.txt"), stamp);
  rmSync(bundles, { recursive: true, force: true });
  renameSync(fresh, bundles);
}

/** Unless nothing has been compiled since: the first line of a stamp is what threads compare (`compiledStamp`). */
export async function bundleStore(root) {
  const packages = join(root, "packages");
  const distOf = (name) => join(packages, name, "dist");
  const store = distOf("store");
  const shared = distOf("shared-memory");
  const { compiledStamp } = await import(pathToFileURL(join(store, "pipeline", "worker-bundle.js")).href);
  const piscina = dirname(dirname(createRequire(join(packages, "store", "package.json")).resolve("piscina")));
  const others = [
    fileURLToPath(import.meta.url),
    join(dirname(fileURLToPath(import.meta.url)), "bundled-licences.mjs"),
    join(distOf("kernels"), "kernel-binary.js"),
    join(piscina, "package.json"),
  ];
  const hash = createHash("sha256");
  for (const file of others) hash.update(readFileSync(file));
  const stamp = `${compiledStamp()}\n${hash.digest("hex")}\n`;
  const isStamped = (dist) => {
    const file = join(dist, "bundled", "stamp.txt");
    return existsSync(file) && readFileSync(file, "utf8") === stamp;
  };
  if (isStamped(shared) && isStamped(store)) return;
  const makeShared = (outdir) => [bundleFaces(outdir, [join(shared, "index.js")], packages), bundlePiscinaWorker(outdir, piscina)];
  await replaceBundles(shared, makeShared, stamp);
  const storeFaces = FACES.map((name) => join(store, `${name}.js`));
  const makeStore = (outdir) => [
    bundleServices(outdir, store, packages),
    bundlePiscinaWorker(outdir, piscina),
    bundleFaces(outdir, storeFaces, packages),
  ];
  await replaceBundles(store, makeStore, stamp);
}
