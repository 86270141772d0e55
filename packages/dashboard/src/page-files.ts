import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** What the page is made of, by the path that it is asked for. */
export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

/** Beside `dist`. */
const PAGE = join(import.meta.dirname, "..", "page");
const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

/** Read once: no path that is asked for reaches the file system. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const require = createRequire(import.meta.url);
  const file = (path: URL | string, type: string): PageFile => ({ type, content: readFileSync(path) });
  return new Map([
    ["/", file(join(PAGE, "index.html"), HTML)],
    ["/style.css", file(join(PAGE, "style.css"), CSS)],
    ["/icon.svg", file(join(PAGE, "icon.svg"), "image/svg+xml")],
    ["/page/app.js", file(new URL("./page/app.js", import.meta.url), SCRIPT)],
    ["/page/plots.js", file(new URL("./page/plots.js", import.meta.url), SCRIPT)],
    ["/page/elements.js", file(new URL("./page/elements.js", import.meta.url), SCRIPT)],
    ["/page/panels.js", file(new URL("./page/panels.js", import.meta.url), SCRIPT)],
    ["/page/search.js", file(new URL("./page/search.js", import.meta.url), SCRIPT)],
    ["/page/uplot.js", file(require.resolve("uplot/dist/uPlot.esm.js"), SCRIPT)],
    ["/uplot.css", file(require.resolve("uplot/dist/uPlot.min.css"), CSS)],
  ]);
}
