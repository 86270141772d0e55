import { statfsSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";

export interface Machine {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly fileSystem: string;
  readonly node: string;
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

/** Where the figures come from; `directory` is on the file system that was measured. */
export function describeMachine(directory: string): Machine {
  const { type: magic } = statfsSync(directory);
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    kernel: `${type()} ${release()}`,
    fileSystem: FILE_SYSTEMS.get(magic) ?? `type ${magic.toString(16)}`,
    node: process.version,
    loadAverage: loadavg()[0] ?? 0,
  };
}
