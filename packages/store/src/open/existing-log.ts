import { MillraceError, storePaths } from "@millrace/format";
import { createStorage, type StorageSpec } from "@millrace/mapped-file";
import { resolveConfig } from "../config/message-store-config.js";
import type { MessageStoreOptions } from "../config/message-store-options.js";
import { pathUnusable } from "../tell/path-unusable.js";

/** For what makes no sense where no store is: nothing is made there. @throws MillraceError `ERR_PATH_UNUSABLE` */
export function needLog(options: MessageStoreOptions, spec: StorageSpec): void {
  const config = resolveConfig(options);
  const { commitLog } = storePaths(config.storePathRootDir, config.storePathCommitLog);
  try {
    if (createStorage(spec).entry(commitLog) !== undefined) return;
  } catch (error) {
    throw pathUnusable(error, "the log cannot be looked at", commitLog);
  }
  throw new MillraceError("ERR_PATH_UNUSABLE", `there is no commit log: path=${commitLog}`);
}
