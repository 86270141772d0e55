import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { millraceProgram } from "#cli/program.js";
import { millracePage } from "#scripts/documents/millrace-page.js";
import { projectRoot } from "../support/project-root.js";

const page = readFileSync(join(projectRoot(), "docs", "millrace.md"), "utf8");
const MOST_COLUMNS = 140;

test("docs/millrace.md is made of what the command prints, with every command, an example for each, and the exit codes", (t) => {
  t.is(page, millracePage());
  for (const command of millraceProgram().commands) {
    const [, own = ""] = page.split(`\n## millrace ${command.name()}\n`);
    t.true(own.includes("Usage: millrace "), command.name());
    t.regex(own.split("\n## millrace ")[command.commands.length > 0 ? 1 : 0] ?? "", /Examples:\n {2}millrace /, command.name());
  }
  t.regex(page, /Exit codes:\n {2}0 {2}done\n/);
  for (const line of page.split("\n")) t.true(line.length <= MOST_COLUMNS, line);
});
