import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { recoveryPage } from "#scripts/documents/recovery-page.js";
import { INDEX_TABLE } from "#store/recover/index/index-decision.js";
import { LOG_TABLE } from "#store/recover/log/recovery-decision.js";
import { QUEUE_TABLE } from "#store/recover/queues/consume-queue-decision.js";
import { FIXTURES_DIRECTORY } from "../support/fixture-store.js";

const page = readFileSync(join(FIXTURES_DIRECTORY, "..", "..", "docs", "recovery.md"), "utf8");

test("docs/recovery.md has the tables that recovery decides by: `npm run docs` writes them", (t) => {
  t.is(page, recoveryPage(page));
  const emptied = page.replaceAll(/(<!-- \w+: made by npm run docs -->\n)[\s\S]*?(<!-- end of \w+ -->\n)/g, "$1$2");
  t.true(page.length - emptied.length > 5000);
  t.is(page, recoveryPage(emptied));
});

test("every row stands in docs/recovery.md with its conditions, its verdict and its reason", (t) => {
  for (const { rows } of [LOG_TABLE, QUEUE_TABLE, INDEX_TABLE]) {
    for (const [name, { verdict, reason, when }] of Object.entries(rows)) {
      const [, line = ""] = new RegExp(`^(\\| \`${name}\` .*)$`, "m").exec(page) ?? [];
      t.true(line.endsWith(`| **${verdict}** |`) || line.includes(`| **${verdict}** `), name);
      for (const words of Object.values<readonly (string | boolean)[]>(when).filter((values) => typeof values[0] === "string"))
        t.true(line.includes(`| ${words.join(" or ")} `), name);
      t.true(page.replaceAll(/\n {2}/g, " ").includes(`- \`${name}\`: ${reason}.\n`), name);
    }
  }
});

test("what helps is said of every row of the log that is refused", (t) => {
  const [, help = ""] = /What helps:([\s\S]*?)\n## /.exec(page) ?? [];
  const refused = LOG_TABLE.rowNames.filter((name) => LOG_TABLE.rows[name].verdict === "refuse");
  t.true(refused.length > 0);
  for (const name of refused) t.true(help.includes(`\`${name}\``), name);
});

test("a page without a place for a table is no page", (t) => {
  t.throws(() => recoveryPage(page.replace("<!-- end of index -->", "")), { message: /name=index$/ });
});
