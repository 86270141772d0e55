import { createRequire } from "node:module";
import { MillraceError } from "@millrace/format";
import type mmap from "@millrace/mmap-io";

const require = createRequire(import.meta.url);
let loaded: typeof mmap | undefined;

/**
 * The calls of the system that Node lacks, loaded when they are first needed: where there is no binary, importing Millrace does no harm.
 *
 * @throws MillraceError `ERR_PLATFORM`
 */
export function nativeBinding(): typeof mmap {
  loaded ??= load(process, () => require("@millrace/mmap-io") as typeof mmap);
  return loaded;
}

/** @forTests */
export function load<T>({ platform, versions }: Pick<NodeJS.Process, "platform" | "versions">, require: () => T): T {
  if (versions.deno !== undefined) {
    throw new MillraceError("ERR_PLATFORM", `Deno is not supported: run Millrace with Node.js or Bun. deno=${versions.deno}`);
  }
  if (platform === "win32") {
    throw new MillraceError(
      "ERR_PLATFORM",
      "Windows is not supported: run Millrace in WSL 2 or in a Linux container. platform=win32",
    );
  }
  try {
    return require();
  } catch (cause) {
    throw new MillraceError(
      "ERR_PLATFORM",
      "there is no binary of @millrace/mmap-io for this system: install Python 3, make and a C++ compiler, then run npm rebuild " +
        `@millrace/mmap-io. platform=${platform}, arch=${process.arch}`,
      { cause },
    );
  }
}
