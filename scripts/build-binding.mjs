/**
 * Lays the sources of mmap-io, as patched, into packages/mmap-io and compiles them there: for this machine in the set-up, for every
 * target whose compiler is here when the package is packed. A binary is made again when sources, flags or compiler have changed.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Laid out as node-gyp-build looks for it. `debian`: the packages that bring the compiler. */
const TARGETS = [
  { platform: "linux", arch: "x64", libc: "glibc", triple: "x86_64-linux-gnu", debian: "g++-x86-64-linux-gnu" },
  { platform: "linux", arch: "x64", libc: "musl", triple: "x86_64-linux-gnu", musl: "x86_64-linux-musl", debian: "musl-dev" },
  { platform: "linux", arch: "arm64", libc: "glibc", triple: "aarch64-linux-gnu", debian: "g++-aarch64-linux-gnu" },
  {
    platform: "linux",
    arch: "arm64",
    libc: "musl",
    triple: "aarch64-linux-gnu",
    musl: "aarch64-linux-musl",
    debian: "g++-aarch64-linux-gnu musl-dev:arm64",
  },
];
const COMPILE = ["-std=c++17", "-O2", "-fPIC", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fvisibility=hidden"];
const LINK = ["-shared", "-nostdlib", "-Wl,-s", "-Wl,--gc-sections", "-Wl,-z,relro", "-Wl,-z,now"];
const MAC = ["-bundle", "-undefined", "dynamic_lookup"];

/** What this machine runs, as node-gyp-build sees it. */
function host() {
  const { platform, arch } = process;
  if (platform !== "linux") return { platform, arch };
  return { platform, arch, libc: existsSync("/etc/alpine-release") ? "musl" : "glibc" };
}

const nameOf = ({ platform, arch, libc }) => `${platform}-${arch}${libc === undefined ? "" : ` ${libc}`}`;
const answers = (compiler) => spawnSync(compiler, ["--version"], { encoding: "utf8" });

/** The first compiler that there is, with what it must be asked; undefined: none. */
function compilerOf({ triple, musl }, isHost) {
  const names = isHost ? [process.env.CXX ?? "c++", "g++", "clang++"] : [`${triple}-g++`];
  for (const name of names) {
    const { status, stdout } = answers(name);
    if (status !== 0) continue;
    if (musl === undefined || isHost) return { name, version: stdout, args: [], libraries: ["-lc"] };
    const include = join("/usr/include", musl);
    if (!existsSync(include)) return undefined;
    const own = spawnSync(name, ["-print-file-name=include"], { encoding: "utf8" }).stdout.trim();
    const args = ["-nostdinc", "-isystem", include, "-isystem", own];
    return { name, version: stdout, args, libraries: [`-L${join("/usr/lib", musl)}`, "-l:libc.so"] };
  }
  return undefined;
}

function laySources(from, to) {
  mkdirSync(join(to, "src"), { recursive: true });
  copyFileSync(join(from, "binding.gyp"), join(to, "binding.gyp"));
  copyFileSync(join(from, "src", "mmap-io.cc"), join(to, "src", "mmap-io.cc"));
  const types = readFileSync(join(from, "mmap-io.d.ts"));
  const target = join(to, "index.d.ts");
  if (!existsSync(target) || !readFileSync(target).equals(types)) writeFileSync(target, types);
}

/**
 * @param isComplete every target, not only that of this machine
 * @returns the targets that were left out for want of a compiler, and what the compiler said where it failed
 */
export function buildBinding(root, isComplete) {
  const home = join(root, "packages", "mmap-io");
  const load = createRequire(join(home, "package.json"));
  laySources(dirname(load.resolve("mmap-io/package.json")), home);
  const source = join(home, "src", "mmap-io.cc");
  const { include_dir: headers } = load("node-api-headers");
  const here = host();
  const known = TARGETS.find((target) => nameOf(target) === nameOf(here));
  const missing = [];
  for (const target of isComplete ? new Set([known ?? here, ...TARGETS]) : [known ?? here]) {
    const compiler = compilerOf(target, nameOf(target) === nameOf(here));
    if (compiler === undefined) {
      missing.push(target);
      continue;
    }
    const link = target.platform === "darwin" ? MAC : [...LINK, ...compiler.libraries];
    const args = [...COMPILE, ...compiler.args, "-I", headers, "-x", "c++", source, "-x", "none", ...link];
    const folder = join(home, "prebuilds", `${target.platform}-${target.arch}`);
    const output = join(folder, `mmap-io.napi${target.libc === undefined ? "" : `.${target.libc}`}.node`);
    const stampFile = join(root, "node_modules", ".cache", "millrace", `binding-${nameOf(target).replaceAll(" ", "-")}`);
    const stamp = createHash("sha256")
      .update(JSON.stringify([compiler, args]))
      .update(readFileSync(source))
      .digest("hex");
    if (existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) continue;
    mkdirSync(folder, { recursive: true });
    mkdirSync(dirname(stampFile), { recursive: true });
    const { status, stdout, stderr } = spawnSync(compiler.name, [...args, "-o", `${output}.new`], { encoding: "utf8" });
    if (status !== 0) {
      rmSync(`${output}.new`, { force: true });
      return { missing, failure: `${compiler.name}, for ${nameOf(target)}:\n${stdout}${stderr}` };
    }
    renameSync(`${output}.new`, output);
    writeFileSync(stampFile, stamp);
  }
  return { missing, failure: undefined };
}

/** Before the packages are packed: everything that can be built here, and a word on what cannot. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { missing, failure } = buildBinding(dirname(dirname(fileURLToPath(import.meta.url))), true);
  for (const target of missing) {
    console.error(`build-binding: not built for ${nameOf(target)}, which takes Debian's ${target.debian ?? "C++ compiler"}`);
  }
  if (failure !== undefined) {
    console.error(failure);
    process.exitCode = 1;
  }
}
