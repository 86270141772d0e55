import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import test from "ava";
import { projectRoot } from "../support/project-root.js";

const LINK = /\]\(([^)\s]+)\)/g;

function documents(): string[] {
  const inRoot = readdirSync(projectRoot()).filter((name) => name.endsWith(".md"));
  const inDocs = readdirSync(join(projectRoot(), "docs")).flatMap((name) => (name.endsWith(".md") ? [join("docs", name)] : []));
  return [...inRoot, ...inDocs, "test/conformance/README.md"];
}

/** As GitHub makes the address of a heading. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.*)$/gm);
  return new Set(
    Array.from(headings, ([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** What is wrong with a link; undefined when it leads somewhere. */
function deadEnd(document: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? document : normalize(join(dirname(document), path));
  const file = join(projectRoot(), target);
  if (!existsSync(file)) return `${document} links to ${target}, which is not there`;
  if (anchor === undefined || statSync(file).isDirectory()) return undefined;
  return anchorsOf(readFileSync(file, "utf8")).has(anchor)
    ? undefined
    : `${document} links to ${target}#${anchor}: no such heading`;
}

test("every link of the documents leads to a file of the project, and to a heading of it", (t) => {
  const links = documents().flatMap((document) => {
    const text = readFileSync(join(projectRoot(), document), "utf8");
    return Array.from(text.matchAll(LINK), ([, link = ""]) => deadEnd(document, link));
  });
  t.true(links.length > 100);
  t.deepEqual(
    links.filter((problem) => problem !== undefined),
    [],
  );
});
