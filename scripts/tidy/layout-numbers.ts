import { lineAt, packageOf, type Rule, type SourceFile, type Violation } from "./source-tree.js";

/** Word arithmetic, no layout: the masks, signs and sizes of 16 and 32-bit words. */
const WORDS = new Set([0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000]);

/** Numbers that are no layout, file by file. */
const ALLOWED: Readonly<Record<string, { numbers: readonly number[]; reason: string }>> = {
  "packages/format/src/message-checker.ts": {
    numbers: [0x55555555, 0x33333333, 0x0f0f0f0f, 0x01010101],
    reason: "counting the bits of a word, in pairs, nibbles and bytes",
  },
  "packages/mapped-file/src/real-storage-file.ts": { numbers: [0x40000000], reason: "most bytes of one system call" },
};

const HEX = /\b0x[0-9a-f_]+n?\b/gi;
const VIEW_CALL = /\.(?:get|set)(?:Big)?(?:Int|Uint|Float)(?:8|16|32|64)\(/g;
const MOST_BARE_OFFSET = 8;

function numberOf(literal: string): number {
  return Number(literal.replace(/[_n]/g, ""));
}

function hexNumbers(file: SourceFile): Violation[] {
  const allowed = ALLOWED[file.path]?.numbers ?? [];
  return [...file.code.matchAll(HEX)]
    .filter(([literal]) => literal.replace(/[_n]/g, "").length >= "0x".length + 4)
    .filter(([literal]) => !WORDS.has(numberOf(literal)) && !allowed.includes(numberOf(literal)))
    .map((match) => ({
      path: file.path,
      line: lineAt(file.code, match.index),
      message: `a layout number lives in a *-descriptor.ts file, number=${match[0]}`,
    }));
}

/** The text of the first argument, `start` being just behind the opening parenthesis. */
function firstArgument(code: string, start: number): string {
  let end = start;
  for (let depth = 0; end < code.length; end++) {
    const character = code.charAt(end);
    if (depth === 0 && (character === "," || character === ")")) break;
    if ("([{".includes(character)) depth++;
    if (")]}".includes(character)) depth--;
  }
  return code.slice(start, end);
}

function viewOffsets(file: SourceFile): Violation[] {
  const found: Violation[] = [];
  for (const match of file.code.matchAll(VIEW_CALL)) {
    const argument = firstArgument(file.code, match.index + match[0].length);
    for (const [literal] of argument.matchAll(/(?<![\w.])\d[\d_]*(?![\w.])/g)) {
      if (numberOf(literal) <= MOST_BARE_OFFSET) continue;
      const message = `an offset has a name in a *-descriptor.ts file, offset=${literal}`;
      found.push({ path: file.path, line: lineAt(file.code, match.index), message });
    }
  }
  return found;
}

/** Only *-descriptor.ts files of the packages know magic numbers and offsets. */
export const layoutNumbers: Rule = {
  name: "layout-numbers",
  check(tree) {
    return tree.files
      .filter(({ path }) => packageOf(path) !== undefined && !path.endsWith("-descriptor.ts"))
      .flatMap((file) => [...hexNumbers(file), ...viewOffsets(file)]);
  },
};
