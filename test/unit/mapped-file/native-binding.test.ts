import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import mmap from "@millrace/mmap-io";
import test, { type ExecutionContext } from "ava";
import { load } from "#mapped-file/native-binding.js";
import { refusal } from "#mapped-file/native-mapping.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { testIf } from "../../support/test-if.js";

const binding = dirname(fileURLToPath(import.meta.resolve("@millrace/mmap-io")));
const prebuilds = join(binding, "prebuilds");
/** Red Hat 8, Debian 10, Ubuntu 18.10; Node's own binaries ask for it since Node 20. */
const BASE = [2, 28];
const LIBRARY = { glibc: "libc.so.6", musl: "libc.so" };

const binaries = readdirSync(prebuilds, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".node"));
const objdump = (option: string, name: string): string =>
  execFileSync("objdump", [option, join(prebuilds, name)], { encoding: "utf8" });

test("there is a binary for this machine", (t) => {
  t.true(binaries.some((name) => name.startsWith(`${process.platform}-${process.arch}/`)));
});

for (const name of binaries.filter((found) => found.startsWith("linux-"))) {
  test(`${name} needs a C library of its kind and nothing else`, (t) => {
    const needed = [...objdump("-p", name).matchAll(/NEEDED\s+(\S+)/g)].map((match) => match[1]);
    t.deepEqual(needed, [LIBRARY[name.includes(".musl.") ? "musl" : "glibc"]]);
  });

  test(`${name} asks for no symbol that is newer than glibc ${BASE.join(".")}, and of Node for Node-API alone`, (t) => {
    const symbols = objdump("-T", name);
    t.false(/GLIBCXX|CXXABI|GLIBC_PRIVATE/.test(symbols));
    const versions = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [Number(major), Number(minor)]);
    if (name.includes(".glibc.")) t.true(versions.length > 0);
    t.deepEqual(
      versions.filter(([major = 0, minor = 0]) => major !== BASE[0] || minor > (BASE[1] ?? 0)),
      [],
    );
    const unversioned = [...symbols.matchAll(/\*UND\*\s+0+\s+(?:Base\s+)?(\w+)$/gm)].map((match) => match[1] ?? "");
    const foreign = unversioned.filter((symbol) => /^(?:uv_|_Z|v8)/.test(symbol));
    t.deepEqual(foreign, []);
    t.true(unversioned.includes("napi_create_external_buffer"));
  });
}

const onLinux = testIf(process.platform === "linux", "Linux alone has more than one C library");

/** Loads a copy of the package; `of` has what is the binary for glibc there, and what the one for musl. */
function loadCopy(t: ExecutionContext, of: Record<"glibc" | "musl", Uint8Array>): unknown {
  const copy = temporaryDirectory(t);
  for (const name of ["index.js", "package.json"]) copyFileSync(join(binding, name), join(copy, name));
  symlinkSync(join(binding, "node_modules"), join(copy, "node_modules"));
  const folder = join(copy, "prebuilds", `linux-${process.arch}`);
  mkdirSync(folder, { recursive: true });
  for (const [libc, bytes] of Object.entries(of)) writeFileSync(join(folder, `mmap-io.napi.${libc}.node`), bytes);
  return createRequire(import.meta.url)(copy);
}

onLinux("where the binary for glibc does not load, the one for musl is taken: node-gyp-build knows Alpine alone", (t) => {
  const good = readFileSync(join(prebuilds, `linux-${process.arch}`, "mmap-io.napi.glibc.node"));
  const bad = Buffer.from("of another C library");
  t.like(loadCopy(t, { glibc: bad, musl: good }), { PROT_READ: mmap.PROT_READ });
  t.throws(() => loadCopy(t, { glibc: bad, musl: bad }), { code: "ERR_DLOPEN_FAILED", message: /glibc/ });
});

test("on Windows the error says what to do", (t) => {
  const error = t.throws(() => load({ ...process, platform: "win32" }, () => t.fail("is not tried")), { code: "ERR_PLATFORM" });
  t.regex(error?.message ?? "", /WSL 2 .* platform=win32$/);
});

test("in Deno a store is refused, not left waiting for its threads", (t) => {
  const versions = { ...process.versions, deno: "2.9.6" };
  const error = t.throws(() => load({ ...process, versions }, () => t.fail("is not tried")), { code: "ERR_PLATFORM" });
  t.regex(error?.message ?? "", /Node\.js or Bun\. deno=2\.9\.6$/);
});

test("where no binary loads the error says how to compile one, and why it did not load", (t) => {
  const cause = new Error("No native build was found");
  const error = t.throws(
    () =>
      load({ ...process, platform: "linux" }, () => {
        throw cause;
      }),
    { code: "ERR_PLATFORM" },
  );
  t.regex(error?.message ?? "", /npm rebuild @millrace\/mmap-io\. platform=linux, arch=/);
  t.is(error?.cause, cause);
});

test("a runtime that allows no buffers of mapped files is named, other failures of a mapping are as they are", (t) => {
  const cause = Object.assign(new Error("none"), { code: "ERR_NO_EXTERNAL_BUFFERS" });
  t.like(refusal(cause), { code: "ERR_PLATFORM", cause });
  const other = Object.assign(new Error("mmap"), { code: "ENOMEM" });
  t.is(refusal(other), other);
});
