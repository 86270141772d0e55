import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { MillraceError } from "@millrace/store";

/**
 * A new directory for what a command removes again.
 *
 * @param option names another parent
 * @throws MillraceError `ERR_PATH_UNUSABLE`
 */
export function makeScratch(parent: string, prefix: string, option: string): string {
  try {
    return mkdtempSync(join(parent, prefix));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const text = `nothing can be made there, ${option} names another place: code=${code} path=${parent} reason=${message}`;
    throw new MillraceError("ERR_PATH_UNUSABLE", text, { cause });
  }
}
