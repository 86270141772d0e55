import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Installation } from "./installation.js";
import type { Installer } from "./installer.js";
import { run } from "./run.js";
import type { Tarballs } from "./tarballs.js";

/** What one package manager's installation did. */
export interface Row {
  readonly manager: string;
  readonly installSeconds: number;
  readonly megabytes: number;
  /** Of the fastest run, in milliseconds. */
  readonly importMs: number;
  readonly firstPutMs: number;
  readonly confined: "ok" | "not on this machine";
}

interface Found {
  readonly status: string;
  readonly found: number;
  readonly consumed: number;
  readonly isShown: boolean;
  readonly importMs: number;
  readonly firstPutMs: number;
}

/** Beside that of the example, nodenext. */
const MODULES = [
  { module: "node16" },
  { module: "esnext", moduleResolution: "bundler" },
  { module: "preserve", moduleResolution: "bundler" },
];

/** Installs in a fresh directory, then puts, consumes and starts again: with ES modules, with require, and compiled with TypeScript. */
export async function tryManager(root: string, tarballs: Tarballs, manager: Installer): Promise<Row> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-install-"));
  try {
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const dependencies = { "@types/node": devDependencies["@types/node"] as string };
    const installation = await Installation.make({ directory, tarballs, manager, dependencies });
    const consumers = join(root, "scripts", "install-test", "consumers");
    for (const name of ["put-and-consume.mjs", "put-and-consume.cjs"]) installation.add(join(consumers, name), name);
    const runs: Found[] = [];
    const last = manager.hasHooks ? "put-and-consume.mjs" : "put-and-consume.cjs";
    for (const name of ["put-and-consume.mjs", "put-and-consume.mjs", last]) {
      const answer = JSON.parse(await installation.node(name, join(directory, "store"))) as Found;
      const { importMs, firstPutMs, ...what } = answer;
      const before = 10 * runs.length;
      assert.deepEqual(what, { status: "PUT_OK", found: before, consumed: before + 10, last: "order 9", isShown: true }, name);
      runs.push(answer);
    }
    if (manager.node === undefined) {
      await compile(root, installation, manager.from === undefined ? MODULES : []);
      await recoverByCommand(installation, join(directory, "store"));
    }
    const confined =
      manager.node === undefined ? await installation.nodeConfined("put-and-consume.mjs", join(directory, "own")) : undefined;
    if (confined !== undefined) assert.equal((JSON.parse(confined) as Found).consumed, 10);
    return {
      manager: manager.name,
      installSeconds: Math.round(installation.seconds * 10) / 10,
      megabytes: Math.round(installation.megabytes() * 10) / 10,
      importMs: Math.min(...runs.map(({ importMs }) => importMs)),
      firstPutMs: Math.min(...runs.map(({ firstPutMs }) => firstPutMs)),
      confined: confined === undefined ? "not on this machine" : "ok",
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * The example compiles, strictly and with the declarations checked, and runs; it compiles in `modules`, too: ways to resolve them, which
 * ask what the manifests export, whoever has installed them.
 */
async function compile(root: string, installation: Installation, modules: readonly object[]): Promise<void> {
  installation.add(join(root, "examples", "typescript-consumer"), "typescript");
  const imports = ["", "/dashboard", "/producer", "/stats"].map(
    (name, index) => `export * as part${index} from "millrace${name}";\n`,
  );
  writeFileSync(join(installation.project, "typescript", "everything.ts"), imports.join(""));
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  for (const [index, options] of modules.entries()) {
    const name = join("typescript", `tsconfig.${index}.json`);
    const compilerOptions = { ...options, noEmit: true };
    writeFileSync(join(installation.project, name), JSON.stringify({ extends: "./tsconfig.json", compilerOptions }));
    await run(process.execPath, [compiler, "-p", name], { cwd: installation.project });
  }
  await run(process.execPath, [compiler, "-p", "typescript"], { cwd: installation.project });
  const said = await installation.node("typescript/dist/typescript-consumer.js", join(installation.directory, "payments"));
  assert.match(said, /^large payments since the last run: 42; the store is running\n$/);
}

async function recoverByCommand(installation: Installation, store: string): Promise<void> {
  const said = await run(join(installation.project, "node_modules", ".bin", "millrace"), ["recover", store], {
    cwd: installation.project,
  });
  assert.equal(JSON.parse(said).lastExitOk, true);
}
