import type { Tarballs } from "./tarballs.js";

/** One way to install: what its package.json says beside the dependencies, and its commands. */
export interface Installer {
  readonly name: string;
  /** From the registry; undefined: it comes with Node. */
  readonly from?: { readonly specifier: string; readonly script: string };
  /** Installs without running a script of a dependency. */
  readonly install: readonly string[];
  /** Runs a file with the dependencies; before the file's own arguments. */
  readonly node?: readonly string[];
  /** Node 20 asks no hooks when it requires an ES module, so that Plug'n'Play is not asked either: CommonJS uses import(). */
  readonly hasHooks?: true;
  readonly env?: Readonly<Record<string, string>>;
  /** No registry knows the packages: where the others are to be taken from that they depend on. */
  manifest(tarballs: Readonly<Record<string, string>>): object;
}

export const INSTALLERS: readonly Installer[] = [
  {
    name: "npm",
    install: ["install", "--ignore-scripts", "--no-audit", "--no-fund"],
    manifest: () => ({}),
  },
  {
    name: "pnpm",
    from: { specifier: "pnpm@10.34.8", script: "pnpm/bin/pnpm.cjs" },
    install: ["install", "--ignore-scripts", "--no-frozen-lockfile"],
    manifest: (tarballs) => ({ pnpm: { overrides: tarballs } }),
  },
  {
    name: "yarn 1",
    from: { specifier: "yarn@1.22.22", script: "yarn/bin/yarn.js" },
    install: ["install", "--ignore-scripts", "--non-interactive", "--cache-folder", ".yarn-cache"],
    manifest: (tarballs) => ({ resolutions: tarballs }),
  },
  {
    name: "yarn 4",
    from: { specifier: "@yarnpkg/cli-dist@4.18.1", script: "@yarnpkg/cli-dist/bin/yarn.js" },
    install: ["install"],
    node: ["node"],
    hasHooks: true,
    env: { YARN_ENABLE_SCRIPTS: "false", YARN_ENABLE_IMMUTABLE_INSTALLS: "false", YARN_ENABLE_GLOBAL_CACHE: "false" },
    manifest: (tarballs) => ({ resolutions: tarballs }),
  },
];

/** The tarballs as dependencies are written. */
export function filesOf(tarballs: Tarballs): Record<string, string> {
  return Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`]));
}
