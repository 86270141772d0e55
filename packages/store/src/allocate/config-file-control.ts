import type { Storage } from "@millrace/mapped-file";
import { writeConfigFile, writeOwnFile } from "../marks/config-file.js";
import type { ConfigFileControl } from "../pipeline/controls.js";

export function configFileControl(storage: Storage): ConfigFileControl {
  return {
    writeConfigFile: (path, content, logOffset) => failureOf(() => writeConfigFile(storage, path, content, logOffset)),
    writeOwnFile: (path, content) => failureOf(() => writeOwnFile(storage, path, content)),
  };
}

function failureOf(write: () => void): ReturnType<ConfigFileControl["writeOwnFile"]> {
  try {
    write();
    return undefined;
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code, message: String(error) };
  }
}
