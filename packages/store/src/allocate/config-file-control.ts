import type { Storage } from "@millrace/mapped-file";
import { writeConfigFile } from "../read/config-file.js";

/** Why a file could not be written; plain data, because errors lose their codes between threads. */
export interface ConfigFileFailure {
  readonly code: string | undefined;
  readonly message: string;
}

/** What main has the allocate thread do, because it waits for the disk: the files of the `config` directory. */
export interface ConfigFileControl {
  /** Replaces the file, atomically and durably. Answers with what went wrong. */
  writeConfigFile(path: string, content: Uint8Array): ConfigFileFailure | undefined;
}

export function configFileControl(storage: Storage): ConfigFileControl {
  return {
    writeConfigFile: (path, content) => {
      try {
        writeConfigFile(storage, path, content);
        return undefined;
      } catch (error) {
        return { code: (error as NodeJS.ErrnoException).code, message: String(error) };
      }
    },
  };
}
