import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Installation } from "./installation.js";
import type { Installer } from "./installer.js";
import { type RunOptions, run } from "./run.js";
import type { Tarballs } from "./tarballs.js";

const DEPENDENCIES = {
  "@oven/bun-linux-x64": "1.4.4",
  jest: "29.7.0",
  vitest: "3.2.7",
  webpack: "5.103.0",
  "webpack-cli": "6.0.1",
};
/** What docs/installing.md says of Jest. */
const JEST = { testMatch: ["**/store.test.mjs"], moduleFileExtensions: ["js", "mjs", "cjs", "json"], transform: {} };

/** A store lives in each runner and in a bundle that docs/installing.md says to work. Returns their names. */
export async function tryRunners(root: string, tarballs: Tarballs, manager: Installer): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-runners-"));
  try {
    const installation = await Installation.make({ directory, tarballs, manager, dependencies: DEPENDENCIES });
    const consumers = join(root, "scripts", "install-test", "consumers");
    for (const name of readdirSync(consumers)) installation.add(join(consumers, name), name);
    const cwd = installation.project;
    writeFileSync(join(cwd, "jest.config.json"), JSON.stringify(JEST));
    const bin = (name: string): string => join(cwd, "node_modules", ".bin", name);
    const lives = async (command: string, args: string[]): Promise<void> => {
      const store = mkdtempSync(join(directory, "store-"));
      const { status, consumed } = JSON.parse(await run(command, [...args, store], { cwd }));
      assert.deepEqual({ status, consumed }, { status: "PUT_OK", consumed: 10 }, command);
    };
    const bun = join(cwd, "node_modules", "@oven", "bun-linux-x64", "bin", "bun");
    const vmModules: RunOptions = { cwd, env: { ...process.env, NODE_OPTIONS: "--experimental-vm-modules" } };
    const rows: Record<string, () => Promise<unknown>> = {
      "Vitest, forks": () => run(bin("vitest"), ["run", "--globals", "--pool=forks"], { cwd }),
      "Vitest, threads": () => run(bin("vitest"), ["run", "--globals", "--pool=threads"], { cwd }),
      Jest: () => run(bin("jest"), ["--config", "jest.config.json"], vmModules),
      "Bun, import": () => lives(bun, ["put-and-consume.mjs"]),
      "Bun, require": () => lives(bun, ["put-and-consume.cjs"]),
      webpack: async () => {
        await run(bin("webpack"), [], { cwd });
        await lives(process.execPath, ["packed.mjs"]);
      },
    };
    for (const [name, attempt] of Object.entries(rows)) {
      process.stderr.write(`${name} …\n`);
      await attempt();
    }
    return Object.keys(rows);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
