import type { Page, Rule, Violation } from "./source-tree.js";

const COLUMNS = 140;
/** Cannot be broken: a row of a table, or an address and what Markdown needs around it. */
const UNBREAKABLE = /^\s*\||^[\s>*-]*\S*\bhttps?:\/\/\S*$/;

function longLines({ path, text }: Page, mayBeLonger: (line: string) => boolean): Violation[] {
  return text.split("\n").flatMap((line, index) => {
    const columns = line.length <= COLUMNS ? line.length : [...line].length;
    if (columns <= COLUMNS || mayBeLonger(line)) return [];
    return [{ path, line: index + 1, message: `a line has at most ${COLUMNS} columns, columns=${columns}` }];
  });
}

/** Code, comments and prose fit a screen; Biome formats code to fewer columns, but breaks neither comments nor strings. */
export const lineLength: Rule = {
  name: "line-length",
  check: ({ files, pages }) => [
    ...files.flatMap((file) => longLines(file, () => false)),
    ...pages.flatMap((page) => longLines(page, (line) => UNBREAKABLE.test(line))),
  ],
};
