import { lineAt, type Rule, type SourceFile, type Violation } from "./source-tree.js";

const FILE_LINES = 400;
const FUNCTION_LINES = 70;

/** Files and functions (`path` or `path:name`) that are longer, with the lines they have: they may shrink, never grow. */
const LONGER: Readonly<Record<string, number>> = {};

const NOT_A_FUNCTION = /^\s*(?:else\s+)?(?:if|for|while|switch|catch|case|default|do|try|with|else)\b/;
const NAME = /(?:\bfunction\s*\*?\s*|\b(?:const|let|get|set|static|async)\s+|^\s*\*?)(#?[\w$]+)\s*(?:[=<(:]|$)/;

interface Block {
  name: string;
  start: number;
  end: number;
}

/** Position just behind the statement or block that comes before `position`, parentheses skipped as a whole. */
function headerStart(code: string, position: number): number {
  let depth = 0;
  for (let i = position - 1; i >= 0; i--) {
    const character = code.charAt(i);
    if (")]".includes(character)) depth++;
    else if ("([".includes(character)) {
      if (depth === 0) return i + 1;
      depth--;
    } else if (depth === 0 && ";{},".includes(character)) return i + 1;
  }
  return 0;
}

/** Bodies of functions, methods and arrow functions, by their braces. @forTests */
export function functionsOf(code: string): Block[] {
  const found: Block[] = [];
  const open: { position: number; name: string | undefined }[] = [];
  for (let i = 0; i < code.length; i++) {
    if (code.charAt(i) === "{") {
      const header = code.slice(headerStart(code, i), i);
      const isFunction = /=>\s*$/.test(header) || (/\)\s*(?::[^={}]*)?$/.test(header) && !NOT_A_FUNCTION.test(header));
      open.push({ position: i, name: isFunction ? (NAME.exec(header)?.[1] ?? "anonymous") : undefined });
    } else if (code.charAt(i) === "}") {
      const block = open.pop();
      if (block?.name !== undefined) found.push({ name: block.name, start: block.position, end: i });
    }
  }
  return found;
}

function judge(path: string, key: string, what: string, lines: number, most: number, line: number): Violation[] {
  const ratchet = LONGER[key];
  if (lines > (ratchet ?? most)) return [{ path, line, message: `${what} may have ${ratchet ?? most} lines, lines=${lines}` }];
  if (ratchet !== undefined && lines < ratchet)
    return [{ path, line, message: `${what} has shrunk: lower its ratchet, lines=${lines}` }];
  return [];
}

function checkFile(file: SourceFile): Violation[] {
  const lines = file.text.trimEnd().split("\n").length;
  const found = judge(file.path, file.path, "the file", lines, FILE_LINES, 0);
  for (const { name, start, end } of functionsOf(file.code)) {
    const line = lineAt(file.code, start);
    const length = lineAt(file.code, end) - line + 1;
    found.push(...judge(file.path, `${file.path}:${name}`, name, length, FUNCTION_LINES, line));
  }
  return found;
}

/** Files stay within 400 lines, functions within 70. */
export const lengthRatchet: Rule = {
  name: "length-ratchet",
  check: (tree) => tree.files.flatMap(checkFile),
};
