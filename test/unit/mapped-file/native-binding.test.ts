import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { load } from "#mapped-file/native-binding.js";
import { refusal } from "#mapped-file/native-mapping.js";

const prebuilds = join(dirname(fileURLToPath(import.meta.resolve("@millrace/mmap-io"))), "prebuilds");
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
