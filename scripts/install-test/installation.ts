import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filesOf, type Installer } from "./installer.js";
import { run } from "./run.js";
import type { Tarballs } from "./tarballs.js";

/** What of PATH an installation and its programs find: no compiler, no Python. */
const TOOLS = ["node", "npm", "npx", "sh"];

export interface InstallationOptions {
  /** Empty, and the installation's own. */
  readonly directory: string;
  readonly tarballs: Tarballs;
  readonly manager: Installer;
  /** What is installed beside Millrace. */
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A directory into which one package manager has installed the tarballs, without a compiler and without scripts. */
export class Installation {
  readonly directory: string;
  readonly seconds: number;
  readonly #options: InstallationOptions;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(options: InstallationOptions, env: NodeJS.ProcessEnv, seconds: number) {
    this.directory = options.directory;
    this.#options = options;
    this.#env = env;
    this.seconds = seconds;
  }

  static async make(options: InstallationOptions): Promise<Installation> {
    const { directory, manager, tarballs, dependencies } = options;
    chmodSync(directory, 0o755); // for programs that run as somebody else
    const env: NodeJS.ProcessEnv = { ...process.env, ...manager.env, PATH: await toolsIn(join(directory, "tools")) };
    for (const name of ["NODE_OPTIONS", "npm_config_prefix", "INIT_CWD"]) delete env[name];
    if (manager.from !== undefined) {
      const prefix = ["install", "--prefix", join(directory, "manager"), "--no-audit", "--no-fund", "--ignore-scripts"];
      await run("npm", [...prefix, manager.from.specifier], { cwd: directory });
    }
    const project = join(directory, "project");
    mkdirSync(project);
    const files = filesOf(tarballs);
    const manifest = { name: "consumer", version: "1.0.0", private: true, ...manager.manifest(files) };
    writeFileSync(
      join(project, "package.json"),
      JSON.stringify({ ...manifest, dependencies: { ...files, ...dependencies } }, null, 2),
    );
    writeFileSync(join(project, "yarn.lock"), ""); // for yarn 4: a project of its own
    const begin = performance.now();
    const [command, args] = commandOf(options);
    await run(command, [...args, ...manager.install], { cwd: project, env });
    return new Installation(options, env, (performance.now() - begin) / 1000);
  }

  get project(): string {
    return join(this.directory, "project");
  }

  /** Of what was installed: the sum of its files, without the types of Node. */
  megabytes(): number {
    const folders = ["node_modules", ".yarn/cache", ".yarn/unplugged"].map((name) => join(this.project, name));
    return folders.reduce((sum, folder) => sum + bytesBelow(folder), 0) / 1e6;
  }

  /** Copies a program into the project, to be run there. */
  add(file: string, name: string): void {
    cpSync(file, join(this.project, name), { recursive: true });
  }

  /** Runs a file of the project; what it prints. */
  async node(file: string, ...args: string[]): Promise<string> {
    const { manager } = this.#options;
    if (manager.node === undefined) return await run(process.execPath, [file, ...args], { cwd: this.project, env: this.#env });
    const [command, before] = commandOf(this.#options);
    return await run(command, [...before, ...manager.node, file, ...args], { cwd: this.project, env: this.#env });
  }

  /**
   * As {@link node}, for somebody who is not root, with every file system of the machine's root read-only but for `store`.
   *
   * @returns undefined where this machine does not let us
   */
  async nodeConfined(file: string, store: string): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return undefined;
    const probe = ["-m", "sh", "-c", "mount -o remount,bind,ro / && setpriv --version"]; // a container may forbid it
    if (!(await run("unshare", probe, { cwd: "/" }).then(Boolean, () => false))) return undefined;
    const script =
      'mount -o remount,bind,ro / && mount -t tmpfs -o mode=1777 tmpfs "$1" && ! touch "$2" 2>/dev/null && ' +
      'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$3" "$2" "$1"';
    mkdirSync(store);
    const args = ["-m", "sh", "-c", script, "sh", store, join(this.project, file), process.execPath];
    return await run("unshare", args, { cwd: this.project });
  }
}

function commandOf({ manager, directory }: InstallationOptions): [string, string[]] {
  if (manager.from === undefined) return ["npm", []];
  return [process.execPath, [join(directory, "manager", "node_modules", manager.from.script)]];
}

/** A folder with links to the tools and to nothing else. */
async function toolsIn(folder: string): Promise<string> {
  mkdirSync(folder);
  for (const tool of TOOLS) {
    const found = tool === "node" ? process.execPath : (await run("sh", ["-c", `command -v ${tool}`], { cwd: folder })).trim();
    symlinkSync(found, join(folder, tool));
  }
  return folder;
}

function bytesBelow(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/@types|undici-types/.test(entry.parentPath))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
