import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.js";

/** Each published package by its name: the tarball that `pnpm pack` has made of it. */
export type Tarballs = ReadonlyMap<string, string>;

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/**
 * Packs every package of the workspace into `target`. The set-up has built them, the binding for this machine only; the workspace runs no
 * scripts of packages, not those of packing either.
 */
export async function packAll(root: string, target: string): Promise<Tarballs> {
  execFileSync(process.execPath, [join(root, "scripts", "build-binding.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { packageManager: string };
  const pack = ["--yes", "--loglevel=error", packageManager, "-r", "pack", "--pack-destination", target];
  await run("npx", pack, { cwd: root });
  const manifests = readdirSync(join(root, "packages")).map(
    (folder) => JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8")) as Manifest,
  );
  return new Map(
    manifests.map(({ name, version }) => [name, join(target, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`)]),
  );
}
