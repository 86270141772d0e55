import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { stripSource } from "./strip-source.js";

export interface SourceFile {
  /** From the project's root, with slashes. */
  path: string;
  text: string;
  /** Without comments and the contents of strings, position for position. */
  code: string;
  /** Comments only, position for position. */
  comments: string;
}

/** A Markdown page. */
export interface Page {
  path: string;
  text: string;
}

interface PackageManifest {
  exports?: Record<string, { default: string }>;
  dependencies?: Record<string, string>;
  bin?: string | Record<string, string>;
}

/** What the rules see: every hand-written source and page, and the manifest of each package by its folder's name. */
export interface SourceTree {
  files: SourceFile[];
  pages: Page[];
  manifests: Map<string, PackageManifest>;
}

export interface Violation {
  path: string;
  /** 1-based; 0 when it is about the whole file. */
  line: number;
  message: string;
}

export interface Rule {
  name: string;
  check(tree: SourceTree): Violation[];
}

/** Installed, made, or as others have written it; `reference` is made by `npm run docs`. */
const SKIPPED_DIRECTORIES = new Set(["node_modules", "dist", "fixtures", "reference"]);
const TOPS = new Set(["docs", "packages", "scripts", "test"]);
const SOURCE = /\.(?:ts|mjs|js)$/;
const PAGE = /\.md$/;
const MANIFEST = /^packages\/([^/]+)\/package\.json$/;

/** A tree of texts by path; pages and package manifests among them. @forTests */
export function treeOf(texts: Record<string, string>): SourceTree {
  const tree: SourceTree = { files: [], pages: [], manifests: new Map() };
  for (const [path, text] of Object.entries(texts)) {
    const packageName = MANIFEST.exec(path)?.[1];
    if (packageName !== undefined) tree.manifests.set(packageName, JSON.parse(text) as PackageManifest);
    else if (PAGE.test(path)) tree.pages.push({ path, text });
    else tree.files.push({ path, text, ...stripSource(text) });
  }
  return tree;
}

export function readTree(root: string): SourceTree {
  const texts: Record<string, string> = {};
  const paths = readdirSync(root).flatMap((top) => (TOPS.has(top) ? [...walk(join(root, top))] : [join(root, top)]));
  for (const path of paths.map((found) => relative(root, found).split(sep).join("/")).sort()) {
    if ((SOURCE.test(path) && path.includes("/")) || PAGE.test(path) || MANIFEST.test(path))
      texts[path] = readFileSync(join(root, path), "utf8");
  }
  return treeOf(texts);
}

function* walk(directory: string): Generator<string> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && !SKIPPED_DIRECTORIES.has(entry.name) && !entry.name.startsWith(".")) yield* walk(path);
  }
}

/** The folder under packages/ whose src holds the file, if it is a package's source. */
export function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\/src\//.exec(path)?.[1];
}

export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < position; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/** A violation for each match of `pattern` (global) in `where`, a text of the file. */
export function matches(file: SourceFile, where: string, pattern: RegExp, message: (found: string) => string): Violation[] {
  return [...where.matchAll(pattern)].map((match) => ({
    path: file.path,
    line: lineAt(where, match.index),
    message: message(match[0]),
  }));
}
