import type { Storage } from "@millrace/mapped-file";
import { writeConfigFile } from "../marks/config-file.js";
import type { ConfigFileControl } from "../pipeline/controls.js";

export function configFileControl(storage: Storage): ConfigFileControl {
  return {
    writeConfigFile: (path, content, logOffset) => {
      try {
        writeConfigFile(storage, path, content, logOffset);
        return undefined;
      } catch (error) {
        return { code: (error as NodeJS.ErrnoException).code, message: String(error) };
      }
    },
  };
}
