import { posix } from "node:path";
import { lineAt, type SourceFile, type SourceTree } from "./source-tree.js";

export interface Import {
  specifier: string;
  line: number;
  /** `new URL("./x.js", import.meta.url)`: the file is named, nothing of it is used. */
  isReference: boolean;
}

const IMPORT = /\b(?:from|import)\s*\(?\s*(["'])|\bnew\s+URL\s*\(\s*(["'])/g;

/** Every module that the file names: static, dynamic and type imports, re-exports, and `new URL("./x.js", import.meta.url)`. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  for (const match of file.code.matchAll(IMPORT)) {
    const start = match.index + match[0].length;
    const end = file.code.indexOf(match[1] ?? match[2] ?? "", start);
    found.push({
      specifier: file.text.slice(start, end),
      line: lineAt(file.text, match.index),
      isReference: match[2] !== undefined,
    });
  }
  return found;
}

/** The file of the tree that a relative import means; undefined for packages and for files outside the tree. */
export function resolveImport(tree: SourceTree, from: SourceFile, specifier: string): SourceFile | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const target = posix.join(posix.dirname(from.path), specifier).replace(/\.js$/, ".ts");
  return tree.files.find((file) => file.path === target);
}

/** The files of the tree that the file imports or, with `references`, names by a URL; each once. */
export function importedFiles(tree: SourceTree, file: SourceFile, references = false): SourceFile[] {
  const imports = importsOf(file).filter(({ isReference }) => references || !isReference);
  const found = imports.map(({ specifier }) => resolveImport(tree, file, specifier));
  return [...new Set(found.filter((target) => target !== undefined))];
}
