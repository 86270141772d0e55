import { spawnSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly fileSystem: string;
  readonly node: string;
  /** What is measured: abbreviated, with a + when there are changes beside it. */
  readonly commit: string;
  /** Of the last minute, before the first measurement. */
  readonly loadAverage: number;
}

/** statfs(2)'s f_type. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext2/3/4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0x01021994, "tmpfs"],
  [0x794c7630, "overlayfs"],
  [0x2fc12fc1, "zfs"],
  [0xf2f52010, "f2fs"],
]);

/** Of the checkout that this is of; undefined where Git knows of none. */
function commitHere(): string | undefined {
  const git = (...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", args, { cwd: fileURLToPath(new URL(".", import.meta.url)), encoding: "utf8" });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git("rev-parse", "--short", "HEAD");
  return commit === undefined ? undefined : `${commit}${git("status", "--porcelain") === "" ? "" : "+"}`;
}

/** Where the figures come from; `directory` is on the file system that was measured. @param commit where Git cannot say it */
export function describeMachine(directory: string, commit: string | undefined): Machine {
  const { type: magic } = statfsSync(directory);
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: `${type()} ${release()}`,
    fileSystem: FILE_SYSTEMS.get(magic) ?? `type ${magic.toString(16)}`,
    node: process.version,
    commit: commit ?? commitHere() ?? "unknown",
    loadAverage: loadavg()[0] ?? 0,
  };
}
