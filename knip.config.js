/**
 * Dead files and exports in packages/ and scripts/. Tests are left out, so that what only they use is found too: an export that is
 * there for them says so with the tag `@forTests`. What an index.ts exports is the face of its package, and not asked for its users.
 */
export default {
  include: ["files", "exports", "types", "duplicates", "unlisted", "unresolved"],
  tags: ["-forTests"],
  ava: false,
  workspaces: {
    ".": {
      entry: [
        "scripts/*.mjs",
        "scripts/install-test/consumers/*",
        "scripts/*/main.ts",
        "scripts/install-test/pack.ts",
        "scripts/**/*-worker.ts",
        "scripts/bench/compare.ts",
      ],
      project: ["scripts/**/*.{ts,mjs}"],
      paths: { "#store/*.js": ["./packages/store/src/*.ts"], "#cli/*.js": ["./packages/cli/src/*.ts"] },
      // The bench installs its contestants below scripts/bench/peers.
      ignoreDependencies: ["lmdb", "better-sqlite3", "classic-level"],
    },
    "packages/store": { entry: ["src/**/*-worker.ts"], project: ["src/**/*.ts"] },
    // What only the kernels use of the layouts: AssemblyScript reads the same descriptors.
    "packages/kernels": { entry: ["assembly/index.ts"], project: ["{src,assembly}/**/*.ts"] },
    "packages/shared-memory": { entry: ["src/service-entry.ts"], project: ["src/**/*.ts"] },
    "packages/mmap-io": { project: ["*.js"] },
    "packages/*": { project: ["src/**/*.ts"] },
  },
};
