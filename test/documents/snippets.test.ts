/**
 * The code in the documents is what a user copies: each block in ts or js of README.md and docs/ compiles as strict TypeScript, and runs to
 * its end.
 *
 * A block with `import` or `export` is a whole module. Any other is a fragment: it can name `store` (open, with three messages of topic
 * `Orders`, queue 0, keys 4711 and 4712, tags created and paid), `body`, `message`, `m1`, `m2`, `m3`, `MessageStore` and `MillraceError`,
 * and need not close the store. Absolute paths lie below the directory in which it runs. A block that cannot run, for it needs a broker,
 * say, is marked ```ts no-run.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { projectRoot } from "../support/project-root.js";
import { type Snippet, SnippetProject, snippetsOf } from "../support/snippets.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

const MOST_LINES = 20;

function documents(): string[] {
  const below = (folder: string): string[] => readdirSync(join(projectRoot(), folder)).map((name) => join(folder, name));
  return [...below("."), ...(existsSync(join(projectRoot(), "docs")) ? below("docs") : [])].filter((name) => name.endsWith(".md"));
}

const snippets = documents().flatMap((name) => snippetsOf(name, readFileSync(join(projectRoot(), name), "utf8")));
const directory = mkdtempSync(join(tmpdir(), "millrace-snippets-"));
const project = new SnippetProject(directory, snippets);
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

test.serial("the snippets of the documents compile as strict TypeScript", (t) => {
  t.true(snippets.length > 0);
  t.deepEqual(project.compile(), []);
});

for (const snippet of snippets.filter(({ isRun }) => isRun)) {
  test.serial(`the snippet at ${snippet.document}:${snippet.line} runs to its end`, async (t) => {
    const { code, output } = await project.run(snippet);
    t.is(code, 0, output);
    if (snippet === snippets.find(({ document }) => document === "README.md")) {
      t.true(snippet.code.split("\n").filter((line) => line !== "").length <= MOST_LINES);
      const lines = output.trim().split("\n");
      t.is(lines.length, 21);
      t.regex(lines[9] ?? "", /^PUT_OK [0-9A-F]{32} 9$/);
      t.deepEqual([lines[10], lines[19], lines[20]], ["0 created order 0", "9 paid order 9", "1"]);
    }
  });
}

const BAD = `
\`\`\`ts
const { appendResult } = await store.putMessage(m1);
console.log(appendResult.msgId);
\`\`\`

   \`\`\`js no-run
   import { MessageStore } from "@millrace/store";
   await MessageStore.open({ storePathRoot: "/x" });
   \`\`\`

\`\`\`js
console.log(store.getMessage({ topic: "Orders", queueId: 0, queueOffset: 1 }).messages[0]?.tags);
const missing = await MessageStore.open({ storePathRootDir: "/a/b" });
throw new Error(missing.config.storePathRootDir + (await missing.close()));
\`\`\`
`;

test.serial("a snippet that does not compile, or throws, is found with its place", async (t) => {
  const bad: Snippet[] = snippetsOf("bad.md", BAD);
  t.deepEqual(
    bad.map(({ isRun }) => isRun),
    [true, false, true],
  );
  const own = temporaryDirectory(t);
  const badProject = new SnippetProject(own, bad);
  const errors = badProject.compile();
  t.is(errors.length, 2, errors.join("\n"));
  t.regex(errors[0] ?? "", /^bad\.md:4: error TS18047: 'appendResult' is possibly 'null'/);
  t.regex(errors[1] ?? "", /^bad\.md:9: error TS2561: .*storePathRoot/);
  const { code, output } = await badProject.run(bad[2] as Snippet);
  t.is(code, 1);
  t.regex(output, /^paid\n/);
  t.true(output.includes(`Error: ${own}`), output);
});
