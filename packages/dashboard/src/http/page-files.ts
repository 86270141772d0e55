import { readFileSync } from "node:fs";

export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

/** What a browser may load, by path: no path that was asked for ever reaches the file system. */
const PAGE_FILES: readonly (readonly [path: string, name: string, type: string])[] = [
  ["/", "page.html", "text/html; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
  ["/icon.svg", "icon.svg", "image/svg+xml"],
];

/** The page as the build has made it, in memory. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  return new Map(
    PAGE_FILES.map(([path, name, type]) => [path, { type, content: readFileSync(new URL(`../bundled/${name}`, import.meta.url)) }]),
  );
}
