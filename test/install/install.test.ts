import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { INSTALLERS } from "#scripts/install-test/installer.js";
import { lintPackage, manifestOf } from "#scripts/install-test/package-lint.js";
import { tryManager } from "#scripts/install-test/row.js";
import { run } from "#scripts/install-test/run.js";
import { packAll, type Tarballs } from "#scripts/install-test/tarballs.js";

const root = join(import.meta.dirname, "..", "..", "..");
const folder = mkdtempSync(join(tmpdir(), "millrace-tarballs-"));
let tarballs: Tarballs;

test.before(async (t) => {
  t.timeout(300_000);
  tarballs = await packAll(root, folder);
});

test.after.always(() => rmSync(folder, { recursive: true, force: true }));

test.serial("what is packed names versions, its licence and its types, and brings a page to read", async (t) => {
  t.true(tarballs.has("millrace"));
  for (const [name, tarball] of tarballs) {
    const { manifest, files } = await manifestOf(tarball);
    const ofOthers = Object.entries(manifest.dependencies ?? {}).filter(([dependency]) => dependency.startsWith("@millrace/"));
    t.deepEqual([...new Set(ofOthers.map(([, version]) => version))], ofOthers.length === 0 ? [] : [manifest.version], name);
    t.is(manifest.private, undefined, name);
    t.truthy(manifest.license, name);
    t.is(manifest.engines?.node, ">=20.19", name);
    t.true(files.includes(manifest.types ?? "no types"), `${name}: ${manifest.types}`);
    t.true(
      ["package.json", "LICENSE", "README.md"].every((file) => files.includes(file)),
      name,
    );
    t.deepEqual(
      files.filter((file) => /\.(?:map|tsbuildinfo)$|(?<!\.d)\.ts$/.test(file)),
      [],
      name,
    );
  }
});

test.serial("three small packages are installed beside these, which depend on nothing", async (t) => {
  const names = new Set<string>();
  for (const tarball of tarballs.values()) {
    for (const name of Object.keys((await manifestOf(tarball)).manifest.dependencies ?? {})) names.add(name);
  }
  t.deepEqual([...names].filter((name) => !tarballs.has(name)).sort(), ["commander", "crc-32", "node-gyp-build"]);
});

for (const [name, bundled] of Object.entries({
  "@millrace/shared-memory": ["comlink", "piscina"],
  "@millrace/store": ["comlink", "crc-32", "piscina"],
  "@millrace/dashboard": ["uplot"],
})) {
  test.serial(`what is bundled in ${name} has its licence with it`, async (t) => {
    const file = "package/dist/bundled/licences.txt";
    const text = await run("tar", ["-xzOf", tarballs.get(name) ?? "no tarball", file], { cwd: "/" });
    const heads = [...text.matchAll(/^(\S+) \d+\.\d+\.\d+, \S+$/gm)].map(([, other]) => other);
    t.deepEqual(heads, bundled);
    t.true(text.split(/Permission is hereby granted|Apache License/).length > bundled.length);
  });
}

test.serial("the binding is packed with a binary for each system that there is a compiler for", async (t) => {
  await run(process.execPath, ["scripts/build-binding.mjs"], { cwd: root });
  const made = readdirSync(join(root, "packages", "mmap-io", "prebuilds"), { recursive: true, encoding: "utf8" });
  const { files } = await manifestOf(tarballs.get("@millrace/mmap-io") ?? "no tarball");
  const isBinary = (file: string): boolean => file.endsWith(".node");
  t.deepEqual(
    files.filter(isBinary).sort(),
    made
      .filter(isBinary)
      .map((file) => `prebuilds/${file}`)
      .sort(),
  );
});

for (const name of ["millrace", "@millrace/store", "@millrace/mmap-io"]) {
  test.serial(`publint and arethetypeswrong find nothing in ${name}`, async (t) => {
    t.deepEqual(await lintPackage(root, tarballs.get(name) ?? "no tarball"), []);
  });
}

for (const manager of INSTALLERS.filter(({ name }) => name === "npm" || name === "pnpm")) {
  test.serial(
    `${manager.name} installs it without a compiler and without scripts, and it puts, consumes and starts again`,
    async (t) => {
      t.timeout(300_000);
      const { importMs, ...row } = await tryManager(root, tarballs, manager);
      t.log(row, importMs);
      t.true(row.megabytes < 6, `${row.megabytes} MB`);
    },
  );
}
