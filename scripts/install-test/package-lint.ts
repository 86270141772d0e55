import { join } from "node:path";
import { run } from "./run.js";

/** What of a package.json the checks ask for. @forTests */
export interface PackedManifest {
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly types?: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A tarball's package.json as consumers get it, and its files; what is the manifest's `./index.js` is `index.js` in both. @forTests */
export async function manifestOf(tarball: string): Promise<{ manifest: PackedManifest; files: string[] }> {
  const listing = await run("tar", ["-tzf", tarball], { cwd: "/" });
  const text = await run("tar", ["-xzOf", tarball, "package/package.json"], { cwd: "/" });
  const { types, ...manifest } = JSON.parse(text) as PackedManifest;
  const files = listing.split("\n").map((line) => line.replace(/^package\//, ""));
  return { manifest: types === undefined ? manifest : { ...manifest, types: types.replace(/^\.\//, "") }, files };
}

/**
 * What publint and arethetypeswrong find in a tarball. That `require` gives an ES module is meant: every Node that Millrace runs on can
 * require one.
 */
export async function lintPackage(root: string, tarball: string): Promise<string[]> {
  const bin = (name: string): string => join(root, "node_modules", ".bin", name);
  const found: string[] = [];
  const note = (error: Error): void => {
    found.push(error.message);
  };
  await run(bin("publint"), [tarball, "--strict"], { cwd: root }).catch(note);
  await run(bin("attw"), [tarball, "--ignore-rules", "cjs-resolves-to-esm", "--no-emoji"], { cwd: root }).catch(note);
  return found;
}
