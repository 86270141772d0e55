import { type StorePaths, storePaths } from "@millrace/format";
import { checkObject } from "./call-options.js";
import { checkKnownKeys, knownKeys } from "./known-keys.js";
import { resolveConfig } from "./message-store-config.js";

/** What {@link MessageStore.openReadOnly}, `sizesOf` and `clearFence` take beside the directory. */
export interface ReadOnlyOptions {
  /** Where the log lies when not in the directory's `commitlog`. */
  readonly storePathCommitLog?: string;
}

const KNOWN_KEYS = knownKeys<ReadOnlyOptions>({ storePathCommitLog: true });

/**
 * Where the files of a directory lie.
 *
 * @throws MillraceError `ERR_OPTION_UNKNOWN`, `ERR_OPTION_ILLEGAL`
 */
export function pathsOf(storePathRootDir: string, options: ReadOnlyOptions): StorePaths {
  checkObject(options);
  checkKnownKeys(options, KNOWN_KEYS, "ERR_OPTION_UNKNOWN", "option");
  const given = resolveConfig({ storePathRootDir, ...options });
  return storePaths(given.storePathRootDir, given.storePathCommitLog);
}
