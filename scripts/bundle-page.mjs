/**
 * Makes of the dashboard's page what a browser loads: one script and one style sheet, with uPlot in them, beside the page and its icon.
 */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { bundledLicences } from "./bundled-licences.mjs";

/** Unless what was made is newer than all that it is made of. */
export async function bundlePage(root) {
  const dashboard = join(root, "packages", "dashboard");
  const sources = join(dashboard, "src", "page");
  const outdir = join(dashboard, "dist", "bundled");
  const newest = Math.max(...[join(dashboard, "package.json"), ...filesBelow(sources)].map((path) => statSync(path).mtimeMs));
  const made = statSync(join(outdir, "licences.txt"), { throwIfNoEntry: false })?.mtimeMs;
  if (made !== undefined && made > newest) return;
  const { metafile } = await build({
    entryPoints: { page: join(sources, "main.ts") },
    outdir,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    legalComments: "eof",
    metafile: true,
    logLevel: "error",
  });
  writeFileSync(join(outdir, "licences.txt"), bundledLicences([metafile]));
  await build({
    entryPoints: [join(sources, "page.css"), join(sources, "page.html"), join(sources, "icon.svg")],
    outdir,
    bundle: true,
    minify: true,
    loader: { ".html": "copy", ".svg": "copy" },
    legalComments: "eof",
    logLevel: "error",
  });
}

function filesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true }).map(({ name }) => join(directory, name));
}
