import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..", "..", "..");
/** TypeDoc asks for a TypeScript with an interface of its own, which version 7 has not yet. */
const PACKAGES = ["typedoc@0.28.20", "typescript@5.9.3"];
const ENTRIES = ["index", "producer", "stats"].map((name) => join(root, "packages", "store", "src", `${name}.ts`));
/** What has to say what it is; a field of an interface may be known by its name. */
const DOCUMENTED = ["Class", "Interface", "Function", "Method", "Accessor", "TypeAlias", "Variable"];
const OPTIONS = [
  ...["--name", "Millrace", "--readme", "none", "--hideGenerator", "--excludeInternal", "--excludePrivate", "--logLevel", "Warn"],
  ...["--tsconfig", join(root, "packages", "store", "tsconfig.json"), "--validation.notDocumented", "true"],
  ...DOCUMENTED.flatMap((kind) => ["--requiredToBeDocumented", kind]),
  ...["--treatWarningsAsErrors", "true", "--treatValidationWarningsAsErrors", "true"],
];

/**
 * The reference of all that users import, by TypeDoc.
 *
 * @param folder where it is written; undefined only looks whether every public symbol is documented and every link leads somewhere
 * @returns TypeDoc's complaints, if it has any
 */
export async function writeReference(folder?: string): Promise<string | undefined> {
  // Sources are links: what is only looked at, in a checkout that may have no remote, has none.
  const output = folder === undefined ? ["--emit", "none", "--disableSources"] : ["--out", folder];
  const npx = ["--yes", "--loglevel=error", ...PACKAGES.flatMap((name) => ["--package", name]), "typedoc"];
  try {
    const { stdout, stderr } = await promisify(execFile)("npx", [...npx, ...OPTIONS, ...output, ...ENTRIES], { cwd: root });
    return `${stdout}${stderr}`.trim() || undefined;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return `${stdout}${stderr}`.trim();
  }
}
